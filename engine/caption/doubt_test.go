package caption

import (
	"context"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"easel/engine/builtin"
	"easel/engine/kernel"
	"easel/engine/model/blip"
)

// count is how the built-in captioner did on pictures of a kind.
type count struct {
	pictures, captioned int // captioned: it was sure
	noun, ground        int // right, of all
	surely              int // captioned, and the noun right
}

// described is a scene and what the captioner says of it.
type described struct {
	scene
	Sentence
}

func (d described) rightNoun() bool {
	said := strings.Fields(d.Text)
	return slices.Contains(said, d.noun) || d.noun == "mug" && slices.Contains(said, "cup")
}

func (d described) rightGround() bool {
	return regexp.MustCompile(`on an? (\w+ and )?` + d.ground + `( and \w+ gradient)?( gradient)? (background|table)`).MatchString(d.Text)
}

// world describes all scenes, by kind. Whether its number is even or odd says in which half a scene is.
func world(t *testing.T) map[string][]described {
	m, err := blip.Load(builtin.Captioner())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b := backends(t)
	backend := b["onednn"]
	if backend == nil {
		t.Skip("describing 230 pictures takes long without oneDNN")
	}
	c, err := New(m, backend, kernel.F32, Settings{Beams: 1, MaxLength: 40, Repetition: 1, NoRepeat: 3}) // as local asks of it
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	all := map[string][]described{}
	for _, s := range slices.Concat(rendered(t), composites(t), photographs(t), drawn()) {
		got, err := c.Describe(context.Background(), s.img)
		if err != nil {
			t.Fatal(err)
		}
		all[s.kind] = append(all[s.kind], described{s, got})
	}
	return all
}

// outside are the kinds of pictures that the captioner knows nothing of.
var outside = []string{"photograph", "noise", "pattern", "leaves", "landscape"}

// TestBuiltinKnowsItsWorld prints how the captioner that ships does on pictures that had no part in choosing the
// threshold. -v shows the table:
//
//	go test ./engine/caption -run BuiltinKnows -v
func TestBuiltinKnowsItsWorld(t *testing.T) {
	all := world(t)
	var strange, inside count
	t.Logf("%-12s%9s%11s%12s%14s%24s", "held out", "pictures", "captioned", "noun right", "ground right", "captioned, noun right")
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		n := tally(all[kind], 1)
		t.Logf("%-12s%9d%11d%12d%14d%24d", kind, n.pictures, n.captioned, n.noun, n.ground, n.surely)
		if slices.Contains(outside, kind) {
			strange.pictures, strange.captioned = strange.pictures+n.pictures, strange.captioned+n.captioned
		} else {
			inside.pictures, inside.ground, inside.noun = inside.pictures+n.pictures, inside.ground+n.ground, inside.noun+n.noun
			inside.captioned += n.captioned
		}
	}
	t.Logf("outside its world: %d of %d captioned wrongly", strange.captioned, strange.pictures)
	if strange.pictures < 32 || strange.captioned*10 > strange.pictures {
		t.Errorf("%d of %d pictures outside its world get a sentence, at most a tenth may", strange.captioned, strange.pictures)
	}
	if inside.ground*10 < inside.pictures*8 {
		t.Errorf("the ground is right in %d of %d pictures, want four in five", inside.ground, inside.pictures)
	}
	if n := tally(all["rendered"], 1); n.captioned*5 < n.pictures || n.surely*2 < n.noun {
		t.Errorf("of %d pictures of its world %d get a sentence, and %d of the %d whose noun is right: it doubts too much", n.pictures, n.captioned, n.surely, n.noun)
	}
}

// TestThreshold: the constant is what its comment says.
func TestThreshold(t *testing.T) {
	all := world(t)
	if len(all["photograph"]) < 44 {
		t.Skip("not all photographs are on this machine")
	}
	captioned := func(threshold float64) (captioned, pictures int) {
		for _, kind := range outside {
			for i, d := range all[kind] {
				if i%2 == 0 {
					pictures++
					if d.Confidence() >= threshold {
						captioned++
					}
				}
			}
		}
		return captioned, pictures
	}
	for step := 50; ; step++ {
		at := float64(step) / 100
		if n, of := captioned(at); n*50 <= of {
			if math.Abs(at-threshold) > 1e-9 {
				t.Errorf("the threshold should be %.2f, where %d of %d get a sentence", at, n, of)
			}
			return
		}
	}
}

func tally(scenes []described, half int) (n count) {
	for i, d := range scenes {
		if i%2 != half {
			continue
		}
		n.pictures++
		sure := !d.Unsure()
		if sure {
			n.captioned++
		}
		if d.noun != "" && d.rightNoun() {
			n.noun++
			if sure {
				n.surely++
			}
		}
		if d.ground != "" && d.rightGround() {
			n.ground++
		}
	}
	return n
}
