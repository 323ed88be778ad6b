package local

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"time"

	"easel/engine"
	"easel/engine/caption"
	"easel/engine/dataset"
	"easel/engine/tokenizer"
)

// Caption implements engine.Engine.
func (l *local) Caption(ctx context.Context, req engine.CaptionRequest, sink engine.Sink) (result engine.CaptionResult, err error) {
	if req.Undo {
		restored, left, err := caption.Undo(req.Images)
		return engine.CaptionResult{Restored: len(restored), Kept: len(left)}, err
	}
	err = l.do(ctx, func() error {
		run := &captioning{l: l, req: req, sink: sink}
		err := run.all(ctx)
		result = run.result
		return err
	})
	return result, err
}

// captioning is one call of Caption.
type captioning struct {
	l         *local
	req       engine.CaptionRequest
	sink      engine.Sink
	folder    *caption.Folder
	captioner *captioner
	result    engine.CaptionResult
}

func (c *captioning) all(ctx context.Context) (err error) {
	c.req.Mode, c.req.Extension = cmp.Or(c.req.Mode, string(caption.Fill)), cmp.Or(c.req.Extension, caption.Extensions[0])
	if !slices.Contains(caption.Extensions, c.req.Extension) {
		return engine.Errorf("caption", "", engine.BadInput, "captions cannot be in files of %q; choose %v", c.req.Extension, caption.Extensions)
	}
	start := time.Now()
	if c.captioner, err = c.l.openCaptioner(c.req); err != nil {
		return err
	}
	defer c.captioner.close()
	if err := c.open(start); err != nil {
		return err
	}
	for i, entry := range c.folder.Pictures {
		if err = c.picture(ctx, i, entry); err != nil {
			break
		}
	}
	if closing := c.folder.Close(err == nil); err == nil {
		err = closing
	}
	if err == nil && c.result.Pictures == 0 {
		return engine.Errorf("caption", c.req.Images, engine.BadInput, "the folder has no pictures that can be read; put some into it, as JPEG, PNG or WebP")
	}
	return err
}

// open lists the folder, for a captioner that is being opened since start.
func (c *captioning) open(start time.Time) (err error) {
	p := caption.Policy{Mode: caption.Mode(c.req.Mode), Word: c.req.Word, Class: c.req.Class, Prefix: c.req.Prefix, Suffix: c.req.Suffix, Tags: c.captioner.tags}
	if c.folder, err = caption.OpenFolder(c.req.Images, p, c.req.Extension, c.settings()); err != nil {
		return err
	}
	if len(c.req.Only) > 0 {
		c.folder.Pictures = slices.DeleteFunc(c.folder.Pictures, func(e dataset.Entry) bool { return !slices.Contains(c.req.Only, filepath.Base(e.Path)) })
	}
	c.result.Model = c.captioner.name
	c.sink(engine.Event{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "captioner", Detail: c.captioner.about(), Seconds: time.Since(start).Seconds()}})
	for _, skipped := range c.folder.Skipped {
		if skipped.Reason != dataset.Unused {
			c.skip(skipped.Path, skipped.Err)
		}
	}
	for _, e := range c.folder.Kept {
		c.report(engine.CaptionEvent{Path: e.Path, File: e.CaptionFile, Text: e.Caption}, caption.Kept)
	}
	return nil
}

// settings are what of the request decides about the captions: a run of other settings is another run.
func (c *captioning) settings() string {
	req := c.req
	req.Images, req.DType = "", ""
	text, _ := json.Marshal(req) // plain data
	return string(text)
}

func (c *captioning) picture(ctx context.Context, i int, e dataset.Entry) error {
	if err := ctx.Err(); err != nil {
		return engine.Errorf("caption", c.req.Images, engine.Cancelled, "%w", err)
	}
	start := time.Now()
	img, _, err := dataset.Open(e.Path)
	if err != nil {
		c.skip(e.Path, err)
		return nil
	}
	found, err := c.captioner.Describe(ctx, img)
	if err != nil {
		return err
	}
	event := engine.CaptionEvent{Path: e.Path, File: e.CaptionFile, Found: found.Text, Confidence: found.Confidence(), Picture: i + 1, Pictures: len(c.folder.Pictures)}
	sentence := found.Text
	if c.captioner.doubted && found.Unsure() {
		sentence, event.Unsure = "", true
		c.result.Unsure++
	}
	var action caption.Action
	if event.Text, action, err = c.folder.Put(e, sentence); err != nil {
		return err
	}
	event.Seconds = time.Since(start).Seconds()
	c.report(event, action)
	return nil
}

func (c *captioning) report(event engine.CaptionEvent, done caption.Action) {
	c.result.Pictures++
	switch done {
	case caption.Wrote:
		c.result.Written++
	case caption.Kept:
		c.result.Kept++
	default:
		c.result.Changed++
	}
	event.Done, event.Tokens = string(done), tokenizer.CLIP().Count(event.Text)
	c.sink(engine.Event{Kind: engine.KindCaption, Caption: &event})
}

func (c *captioning) skip(path string, err error) {
	c.result.Skipped++
	c.sink(engine.Event{Kind: engine.KindWarning, Warning: &engine.WarningEvent{Text: "left out: " + reason(err), Path: path}})
}
