package dataset

import (
	"context"
	"image"
	"path/filepath"
	"sync"

	"easel/engine"
)

// surveyors is how many pictures are looked at at a time, each of which holds a decoded picture in memory.
const surveyors = 2

// SurveyOptions are the settings of Survey.
type SurveyOptions struct {
	Buckets []image.Point // sizes that pictures are trained at
	Cache   string        // folder for thumbnails and what was learnt with them; made where absent
}

// Survey looks at every file of a folder of pictures, as Load would, and at more. found hears of all at once, then of each
// as it is done, in no order, and again of near-duplicates when all are done. Its calls do not overlap.
func Survey(ctx context.Context, dir string, opt SurveyOptions, found func(engine.PictureInfo)) error {
	folder, err := list(dir)
	if err != nil {
		return err
	}
	crops, err := readCrops(dir)
	if err != nil {
		return err
	}
	s := &survey{dir: dir, opt: opt, folder: folder, crops: crops, found: found}
	for i, name := range folder.others {
		found(engine.PictureInfo{Index: i, Pending: true, Name: name, Path: filepath.Join(dir, name)})
	}
	for i, name := range folder.unused {
		info := unusable(dir, name, Unused)
		info.Index = len(folder.others) + i
		found(info)
	}
	s.lookAtAll(ctx)
	if err := ctx.Err(); err != nil {
		return engine.Errorf("look at pictures", dir, engine.Cancelled, "%w", err)
	}
	s.tellDuplicates()
	return nil
}

type survey struct {
	dir    string
	opt    SurveyOptions
	folder folder
	crops  map[string]engine.Crop

	mu    sync.Mutex // of what follows, and of calls of found
	found func(engine.PictureInfo)
	infos []engine.PictureInfo // of the usable pictures, with their looks; in the order of the folder
	looks []Look
}

// lookAtAll fills infos and looks; unusable pictures have zero values there.
func (s *survey) lookAtAll(ctx context.Context) {
	names := s.folder.others
	s.infos, s.looks = make([]engine.PictureInfo, len(names)), make([]Look, len(names))
	next := make(chan int)
	var group sync.WaitGroup
	for range surveyors {
		group.Go(func() {
			for i := range next {
				info, look := s.lookAt(names[i])
				info.Index = i
				s.mu.Lock()
				s.infos[i], s.looks[i] = info, look
				s.found(info)
				s.mu.Unlock()
			}
		})
	}
	for i := range names {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
}

func (s *survey) lookAt(name string) (engine.PictureInfo, Look) {
	path := filepath.Join(s.dir, name)
	look, thumbnail, err := cachedLook(s.opt.Cache, path)
	if err != nil {
		return unusable(s.dir, name, err), Look{}
	}
	bucket := Nearest(s.opt.Buckets, look.Meta.Width, look.Meta.Height)
	info := engine.PictureInfo{
		Name: name, Path: path, Width: look.Meta.Width, Height: look.Meta.Height, BucketWidth: bucket.X, BucketHeight: bucket.Y,
		Crop: inRange(s.crops[name]), Thumbnail: thumbnail, Issues: look.Issues(bucket), Usable: true,
	}
	if file, ok := s.folder.captions[stem(name)]; ok {
		if info.Caption, err = readCaption(filepath.Join(s.dir, file)); err != nil {
			info.Issues = append(info.Issues, engine.Issue{Kind: engine.IssueUnusable, Text: "Its caption: " + reasonText(err) + "."})
		}
	}
	return info, look
}

// tellDuplicates tells of near-duplicates once more, with that issue.
func (s *survey) tellDuplicates() {
	var usable []int
	var looks []Look
	for i, info := range s.infos {
		if info.Usable {
			usable, looks = append(usable, i), append(looks, s.looks[i])
		}
	}
	pairs := Duplicates(looks)
	for i, at := range usable {
		if other, ok := pairs[i]; ok {
			info := s.infos[at]
			info.Issues = append(info.Issues, Duplicate(s.infos[usable[other]].Name))
			s.found(info)
		}
	}
}

// unusable describes a file that cannot be trained on.
func unusable(dir, name string, err error) engine.PictureInfo {
	return engine.PictureInfo{Name: name, Path: filepath.Join(dir, name),
		Issues: []engine.Issue{{Kind: engine.IssueUnusable, Text: "Cannot be used: " + reasonText(err) + "."}}}
}
