package diffusion

import "math"

// LogitNormal maps a uniform number u from 0 to 1 to a timestep in [from, to) whose logit is normal with mean bias and
// deviation 1 (Esser et al., arXiv 2403.03206, §3.1; OneTrainer's LOGIT_NORMAL): the middle counts more than the ends,
// and a bias above 0 moves it to more noise.
func LogitNormal(u float64, from, to int, bias float64) int {
	z := bias + math.Sqrt2*math.Erfinv(2*u-1)
	t := from + int(float64(to-from)/(1+math.Exp(-z)))
	return min(t, to-1)
}
