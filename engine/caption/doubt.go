package caption

// threshold is the Confidence below which a picture is taken to be outside the built-in captioner's world. It is the
// smallest, in steps of 0.01, at which no more than one in fifty of the calibrating half of world_test.go's photographs,
// textures and drawings gets a sentence; the other half is for testing. It belongs to the weights that ship.
const threshold = 0.77

// Unsure says that the built-in captioner is not to be trusted with this picture.
func (s Sentence) Unsure() bool { return s.Confidence() < threshold }
