package train

import (
	"fyne.io/fyne/v2/lang"

	"easel/engine"
)

// begin says what a run does first: a new one measures, one that goes on was measured before.
func (w *watch) begin() {
	w.doing = lang.L("Measuring what a step takes on this computer")
	if w.step.Step > 0 {
		w.doing = w.after("")
	}
}

// plan takes over the job that begins now.
func (w *watch) plan(job engine.Job) {
	w.job, w.steps, w.fitted = job, job.Steps, false
	w.doing = w.after("")
}

// after says what a run does when a part of its preparation is done: events tell of what is finished. What is unknown here
// is "" and leaves the text as it is.
func (w *watch) after(part string) string {
	switch part {
	case "":
		return lang.L("Preparing: opening the model")
	case "model":
		return lang.L("Preparing: looking at the pictures")
	case "pictures":
		if !w.fitted {
			return lang.L("Preparing: planning the memory")
		}
		return w.after("memory") // they were read again, smaller
	case "memory":
		w.fitted = true
		if w.job.Prior.On() {
			return lang.L("Preparing: pictures of the class")
		}
		return lang.L("Preparing: encoding the pictures")
	case "class":
		return lang.L("Preparing: encoding the pictures")
	case "latents":
		if w.job.Preserve > 0 {
			return lang.L("Preparing: recording what the model does without training")
		}
		return lang.L("Preparing: building the training step")
	case "preserve":
		return lang.L("Preparing: building the training step")
	case "resume":
		return lang.L("Training")
	case "method", "beginning":
		return lang.L("Preparing: the first pictures")
	case "export":
		return lang.L("Comparing before and after")
	}
	return w.doing
}
