package dataset

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

// cropsName is the file in a folder of pictures that says which part of each is trained on, by file name. Pictures that
// it does not name are cut in the middle.
const cropsName = "crops.json"

// maxCrops is the largest such file read, in bytes.
const maxCrops = 8 << 20

// readCrops reads the crops of a folder; where there is no such file there are none.
func readCrops(dir string) (map[string]engine.Crop, error) {
	const op = "read crops"
	path := filepath.Join(dir, cropsName)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(op, path, err)
	}
	defer f.Close()
	crops := map[string]engine.Crop{}
	if err := json.NewDecoder(io.LimitReader(f, maxCrops)).Decode(&crops); err != nil {
		return nil, engine.Errorf(op, path, engine.BadFile, "%w; delete the file to cut all pictures in the middle", err)
	}
	return crops, nil
}

// inRange puts numbers right that are none, or too large.
func inRange(crop engine.Crop) engine.Crop { return engine.Crop{X: clamp(crop.X), Y: clamp(crop.Y)} }

func clamp(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, -1), 1)
}

// SaveCrop records which part of a picture in dir is trained on.
func SaveCrop(dir, name string, crop engine.Crop) error {
	crops, err := readCrops(dir)
	if err != nil {
		return err
	}
	if crops == nil {
		crops = map[string]engine.Crop{}
	}
	crops[name] = inRange(crop)
	return atomicfile.Write("save crop", filepath.Join(dir, cropsName), func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", " ")
		return encoder.Encode(crops)
	})
}
