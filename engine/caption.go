package engine

// CaptionRequest asks for captions of a folder's pictures.
type CaptionRequest struct {
	Images string `json:"images"` // the folder; captions are written beside the pictures
	// Only names the files of the folder that may get a caption; empty is all.
	Only []string `json:"only,omitempty"`
	// Model is the file or folder of a captioner (BLIP) or of a WD tagger, whose captions are tags; "builtin"; or empty for
	// the best BLIP that other programs have left in their usual folders, and the built-in one where there is none.
	Model     string `json:"model,omitempty"`
	Mode      string `json:"mode"`                // "fill" gives a caption to those without, "append" adds to captions, "replace" replaces them
	Word      string `json:"word,omitempty"`      // the new word, which is put into the captions
	Class     string `json:"class,omitempty"`     // what the subject is
	Prefix    string `json:"prefix,omitempty"`    // before each caption
	Suffix    string `json:"suffix,omitempty"`    // behind each caption
	Extension string `json:"extension,omitempty"` // of new caption files: ".txt", which is the default, or ".caption"
	Beams     int    `json:"beams,omitempty"`     // texts that the search follows; 0 is 3, 1 is greedy
	DType     string `json:"dtype,omitempty"`     // "auto", "f32", "bf16"
	Undo      bool   `json:"undo,omitempty"`      // takes back the newest run over the folder, and does nothing else
}

// CaptionEvent reports what was done with a picture's caption.
type CaptionEvent struct {
	Path       string  `json:"path"` // the picture
	File       string  `json:"file"` // its caption
	Text       string  `json:"text"` // as it now is
	Found      string  `json:"found,omitempty"`
	Tokens     int     `json:"tokens"`     // of Text, as CLIP counts them
	Confidence float64 `json:"confidence"` // of the captioner in what it found, 0 to 1
	Unsure     bool    `json:"unsure,omitempty"`
	Done       string  `json:"done"` // "written", "appended", "replaced", "kept"
	Picture    int     `json:"picture"`
	Pictures   int     `json:"pictures"` // that need a caption
	Seconds    float64 `json:"seconds"`
}

// CaptionResult counts what was done.
type CaptionResult struct {
	Model    string `json:"model"`
	Pictures int    `json:"pictures"` // of the folder
	Written  int    `json:"written"`  // captions that are new
	Changed  int    `json:"changed"`  // appended to or replaced
	Kept     int    `json:"kept"`     // as they were
	Unsure   int    `json:"unsure"`   // pictures that the captioner does not know: their caption is the template
	Skipped  int    `json:"skipped"`  // files that are no pictures, or damaged
	Restored int    `json:"restored"` // captions that Undo made what they were
}
