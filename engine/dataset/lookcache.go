package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"

	"easel/engine/internal/atomicfile"
)

// cachedLook is LookAt with the thumbnail as a file. What was learnt once is kept in cache, by the picture's path, size and
// time of change. Where cache cannot be written there is no thumbnail; the picture is as good.
func cachedLook(cache, path string) (Look, string, error) {
	key, err := lookKey(path)
	if err != nil {
		return Look{}, "", unreadable("read picture", path, err)
	}
	facts, thumbnail := filepath.Join(cache, key+".json"), filepath.Join(cache, key+".jpg")
	if look, err := readLook(facts); err == nil {
		if _, err := os.Stat(thumbnail); err == nil {
			return look, thumbnail, nil
		}
	}
	look, small, err := LookAt(path)
	if err != nil {
		return Look{}, "", err
	}
	if writeLook(facts, thumbnail, look, small) != nil {
		thumbnail = ""
	}
	return look, thumbnail, nil
}

// metaOf is what a picture's file says, and proves that it can be decoded. What was learnt before is enough.
func metaOf(cache, path string) (Meta, error) {
	if key, err := lookKey(path); err == nil && cache != "" {
		if look, err := readLook(filepath.Join(cache, key+".json")); err == nil {
			return look.Meta, nil
		}
	}
	return lookAtRaw(path, func(image.Image) {})
}

// lookVersion changes when the same picture would give another Look or thumbnail.
const lookVersion = 2

func lookKey(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%d\x00%d", lookVersion, absolute, info.Size(), info.ModTime().UnixNano()))
	return hex.EncodeToString(sum[:16]), nil
}

func readLook(path string) (look Look, err error) {
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &look)
	}
	if err == nil && (look.Meta.Width < 1 || look.Meta.Height < 1) {
		err = fmt.Errorf("%s holds no size", path)
	}
	return look, err
}

func writeLook(facts, thumbnail string, look Look, small image.Image) error {
	if err := os.MkdirAll(filepath.Dir(facts), 0o777); err != nil {
		return err
	}
	err := atomicfile.Write("keep thumbnail", thumbnail, func(w io.Writer) error {
		return jpeg.Encode(w, small, &jpeg.Options{Quality: 88})
	})
	if err != nil {
		return err
	}
	return atomicfile.Write("keep thumbnail", facts, func(w io.Writer) error { return json.NewEncoder(w).Encode(look) })
}
