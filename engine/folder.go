package engine

import "context"

// Folder is a project's folder while one sets a run up: its pictures with captions and crops, and the job of the next run.
// Calls read and write the disk but do not wait for the engine's computing; any goroutine may make them.
type Folder interface {
	// Job is what the next run is to do: as SaveJob left it, else that of the newest run, else zero. Its errors are of
	// kind NotFound where the folder is no project.
	Job() (Job, error)
	// SaveJob records what the next run is to do, and makes the folder a project where it is none.
	SaveJob(Job) error

	// Import copies pictures and their captions into the project's images: from files, folders and ZIP archives. Kinds are
	// decided by content. found hears of each file as it is dealt with; nothing is left out without it.
	Import(ctx context.Context, paths []string, found func(Imported)) error
	// Survey looks at every file of the project's images. found hears of all at once, then of each as it is done, and once
	// more of those that turn out to be near-duplicates of another. Its calls do not overlap.
	Survey(ctx context.Context, req SurveyRequest, found func(PictureInfo)) error

	// SaveCaption writes the caption of the picture of that name; an empty one removes the file.
	SaveCaption(name, caption string) error
	// SaveCrop records which part of the picture of that name is trained on.
	SaveCrop(name string, crop Crop) error
	// Remove moves pictures and their captions out of the images, into a folder from which Restore brings them back.
	Remove(names []string) error
	// Restore undoes Remove.
	Restore(names []string) error
}

// Imported tells what became of a file that was to be imported. Exactly one of Name, Model and Why is set.
type Imported struct {
	Source string    // where it came from; a file of an archive is "a.zip: b/c.jpg"
	Name   string    // of the picture in the project's images
	Model  *FileInfo // it is no picture but a model file or folder
	Why    string    // it was not taken, for this reason
}

// SurveyRequest says for which training pictures are looked at.
type SurveyRequest struct {
	Model      string // as Job.Model; it decides the buckets
	Resolution int    // pixels; 0 is the model's own
}

// PictureInfo describes a file of the project's images.
type PictureInfo struct {
	Index         int    // place in the order of the folder
	Pending       bool   // not looked at yet: only Index, Name and Path are known
	Name          string // of the file
	Path          string
	Width, Height int // pixels of the upright picture; 0 where it cannot be read
	// BucketWidth and BucketHeight are the size in pixels at which it is trained.
	BucketWidth, BucketHeight int
	Crop                      Crop
	Caption                   string // as its file holds it
	Thumbnail                 string // path of an upright JPEG of at most ThumbnailSide pixels; "" where there is none
	Issues                    []Issue
	Usable                    bool // can be trained on
}

// ThumbnailSide is the longest side of thumbnails in pixels.
const ThumbnailSide = 512

// Crop says which part of a picture is trained on: the largest of the bucket's shape, moved along the side that is cut.
// The zero value is the middle.
type Crop struct {
	// X and Y, -1 to 1, move the part: -1 to the left or upper edge, 1 to the right or lower one.
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Issue is something about a picture or a caption that wants attention.
type Issue struct {
	Kind IssueKind
	Text string // one sentence, with the cure where there is one
}

// IssueKind says what an Issue is about.
type IssueKind string

// The issues of pictures, then those of captions.
const (
	IssueUnusable  IssueKind = "unusable" // cannot be read; Text says why
	IssueSmall     IssueKind = "small"    // smaller than what is trained
	IssueBlurred   IssueKind = "blurred"
	IssueDuplicate IssueKind = "duplicate" // nearly the same as another
	IssueTurned    IssueKind = "turned"    // lies sideways in its file, by its EXIF mark; it is turned upright

	IssueNoWord   IssueKind = "no_word"  // the subject's word is missing
	IssueNoClass  IssueKind = "no_class" // the class noun is missing
	IssueRepeated IssueKind = "repeated" // a phrase occurs twice
	IssueTooLong  IssueKind = "too_long" // more tokens than the text encoder takes
)

// CaptionCheck is what is to be said about a caption.
type CaptionCheck struct {
	Tokens, Limit int // as the text encoder counts, with its start and end marks
	Issues        []Issue
}
