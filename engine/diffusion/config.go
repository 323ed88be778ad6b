package diffusion

import (
	"encoding/json"
	"strings"

	"easel/engine"
)

const opParse = "read scheduler_config.json"

// config is the part of diffusers' scheduler_config.json that decides about numbers.
type config struct {
	Class          string    `json:"_class_name"`
	BetaStart      *float64  `json:"beta_start"`
	BetaEnd        *float64  `json:"beta_end"`
	BetaSchedule   *string   `json:"beta_schedule"`
	TrainTimesteps *int      `json:"num_train_timesteps"`
	TrainedBetas   []float64 `json:"trained_betas"`
	Prediction     *string   `json:"prediction_type"`
	Spacing        *string   `json:"timestep_spacing"`
	StepsOffset    int       `json:"steps_offset"`
	SetAlphaToOne  *bool     `json:"set_alpha_to_one"`
	RescaleZeroSNR bool      `json:"rescale_betas_zero_snr"`
}

// The most timesteps that a schedule may have; real ones have 1000.
const maxTrainTimesteps = 100_000

// ParseSchedule reads the text of a diffusers scheduler_config.json. Missing fields have diffusers' defaults
// (epsilon; 1000 timesteps; linear β from 0.0001 to 0.02; the spacing and set_alpha_to_one that the named class defaults to).
// A kind of schedule or prediction that Easel does not know is engine.Unsupported, a number that makes no
// schedule engine.BadFile.
func ParseSchedule(text []byte) (*Schedule, error) {
	var c config
	if err := json.Unmarshal(withoutInfinities(text), &c); err != nil {
		return nil, engine.Errorf(opParse, "", engine.BadFile, "not the JSON of a scheduler: %w", err)
	}
	table, err := c.table()
	if err != nil {
		return nil, err
	}
	s := &Schedule{Offset: c.StepsOffset, FinalAlphaOne: valueOr(c.SetAlphaToOne, c.Class != "PNDMScheduler"), alphaBar: table}
	if c.StepsOffset < 0 || c.StepsOffset >= s.Len() {
		return nil, badNumber("steps_offset %d is outside 0 to %d", c.StepsOffset, s.Len()-1)
	}
	switch p := valueOr(c.Prediction, "epsilon"); p {
	case "epsilon":
	case "v_prediction":
		s.Prediction = Velocity
	default:
		return nil, unsupported("prediction_type", p)
	}
	switch p := valueOr(c.Spacing, c.defaultSpacing()); p {
	case "leading":
	case "linspace":
		s.Spacing = Linspace
	case "trailing":
		s.Spacing = Trailing
	default:
		return nil, unsupported("timestep_spacing", p)
	}
	if c.RescaleZeroSNR {
		return s.ZeroTerminalSNR()
	}
	return s, nil
}

func (c *config) table() ([]float64, error) {
	start, end, n := valueOr(c.BetaStart, 0.0001), valueOr(c.BetaEnd, 0.02), valueOr(c.TrainTimesteps, 1000)
	switch {
	case n < 2 || n > maxTrainTimesteps:
		return nil, badNumber("num_train_timesteps %d is outside 2 to %d", n, maxTrainTimesteps)
	case !(0 < start && start <= end && end < 1):
		return nil, badNumber("beta_start %g and beta_end %g are not 0 < start ≤ end < 1", start, end)
	case c.TrainedBetas != nil:
		return nil, unsupported("trained_betas", "a list")
	}
	kind := valueOr(c.BetaSchedule, "linear")
	if kind != "linear" && kind != "scaled_linear" {
		return nil, unsupported("beta_schedule", kind)
	}
	table := alphaBars(start, end, n, kind == "scaled_linear")
	if last := table[n-1]; last < leastAlphaBar {
		return nil, badNumber("beta_start %g and beta_end %g leave nothing of the picture after %d timesteps", start, end, n)
	}
	if table[0] == 1 {
		return nil, badNumber("beta_start %g is too small to add any noise", start)
	}
	return table, nil
}

// defaultSpacing is what the scheduler classes of diffusers take where timestep_spacing is missing.
func (c *config) defaultSpacing() string {
	for _, prefix := range []string{"Euler", "DPMSolver", "LMS", "Heun", "KDPM2", "UniPC", "DEIS"} {
		if strings.HasPrefix(c.Class, prefix) {
			return "linspace"
		}
	}
	return "leading"
}

func valueOr[T any](p *T, missing T) T {
	if p == nil {
		return missing
	}
	return *p
}

func badNumber(format string, args ...any) error {
	return engine.Errorf(opParse, "", engine.BadFile, format, args...)
}

func unsupported(field, value string) error {
	return engine.Errorf(opParse, "", engine.Unsupported, "%s is %q, which Easel does not know", field, value)
}

// withoutInfinities turns the bare words -Infinity, Infinity and NaN, which Python writes and JSON does not have
// (DPMSolverMultistepScheduler's lambda_min_clipped), into null. Texts in quotes stay as they are.
func withoutInfinities(text []byte) []byte {
	var out strings.Builder
	for rest := string(text); rest != ""; {
		quote := strings.IndexByte(rest, '"')
		if quote < 0 {
			out.WriteString(bareWords.Replace(rest))
			break
		}
		out.WriteString(bareWords.Replace(rest[:quote]))
		end := closingQuote(rest, quote)
		out.WriteString(rest[quote:end])
		rest = rest[end:]
	}
	return []byte(out.String())
}

var bareWords = strings.NewReplacer("-Infinity", "null", "Infinity", "null", "NaN", "null")

// closingQuote is the index after the text that opens at s[quote].
func closingQuote(s string, quote int) int {
	for i := quote + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}
