package local

import (
	"context"
	"fmt"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/train"
)

// holdOut takes the last pictures out of the set, to measure with.
func (s *session) holdOut(set *dataset.Set) error {
	n := s.job.Views.HoldOut
	if n < 0 || n > 0 && n >= len(set.Items) {
		return engine.Errorf("check settings", "", engine.BadInput, "hold-out must leave pictures to train on: there are %d, and %d are to be held out", len(set.Items), n)
	}
	at := len(set.Items) - n
	s.heldOut = &dataset.Set{Items: set.Items[at:]}
	set.Items = set.Items[:at:at]
	return nil
}

// counted says how many pictures there are.
func (s *session) counted() string {
	if n := len(s.heldOut.Items); n > 0 {
		return fmt.Sprintf("%d, and %d held out,", len(s.pictures.Items), n)
	}
	return fmt.Sprint(len(s.pictures.Items))
}

// encodeHeldOut prepares the measurement.
func (s *session) encodeHeldOut(ctx context.Context) (err error) {
	if len(s.heldOut.Items) > 0 {
		s.validation, err = train.NewValidation(ctx, s.trainer.Config, s.heldOut, s.job)
	}
	return err
}

// validate measures the loss of the pictures held out at the steps of the grid, unless a resumed run has done so.
func (s *session) validate(ctx context.Context, step int) error {
	if s.validation == nil || !s.grid.due(step) {
		return nil
	}
	if n := len(s.validated); n > 0 && s.validated[n-1].Step >= step {
		return nil
	}
	loss, err := s.validation.Loss(ctx)
	if err != nil {
		return err
	}
	v := engine.StepLoss{Step: step, Loss: loss}
	s.validated = append(s.validated, v)
	s.emit(engine.Event{Kind: engine.KindValidation, Validation: &v})
	return nil
}
