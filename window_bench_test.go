//go:build linux && cgo && !headless

package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"easel/engine"
)

// What the window may take with 200 pictures as phones make them.
const (
	mostPeak = 400 // MB of memory, at any time
	mostIdle = 2   // percent of a core, when nothing happens
)

// BenchmarkWindow opens the window on 200 JPEG files of 12 megapixels, visits the Method page, where a run is planned while the
// pictures are looked at, scrolls through both, and then leaves each alone:
//
//	go test -run '^$' -bench Window -benchtime 1x .
func BenchmarkWindow(b *testing.B) {
	s := newScreen(b)
	project := filepath.Join(s.home, "zorbit")
	photos(b, filepath.Join(project, "images"), 200)
	eng, err := newEngine(power{threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	if err := eng.Folder(project).SaveJob(engine.Job{Method: "lora", Model: "builtin", Word: "zorbit", Class: "monster toy"}); err != nil {
		b.Fatal(err)
	}
	eng.Close()
	for b.Loop() {
		s.easel(project)
		begin := time.Now()
		s.click(methodTab)
		time.Sleep(5 * time.Second) // the run is planned, and the methods' costs
		s.click(picturesTab)
		s.until("all pictures are looked at", func() bool { return matches(s.home, ".cache/easel/thumbnails/*.json") == 200 })
		b.ReportMetric(time.Since(begin).Seconds(), "s-to-look-at-all")
		s.scroll(40)
		pictures := s.idle()
		s.click(methodTab)
		s.scroll(8)
		method, peak := s.idle(), s.peak()
		b.ReportMetric(peak, "MB-peak")
		b.ReportMetric(pictures, "%-idle-pictures")
		b.ReportMetric(method, "%-idle-method")
		if peak > mostPeak || max(pictures, method) > mostIdle {
			b.Errorf("the window takes %.0f MB at its peak, and %.1f %% and %.1f %% of a core when idle; at most %d MB and %d %% are allowed", peak, pictures, method, mostPeak, mostIdle)
		}
		s.close()
	}
}

// Where the window has its pages' tabs.
const (
	picturesTab = "36 100"
	methodTab   = "36 185"
)

// scroll turns the wheel over the middle of the page.
func (s *screen) scroll(times int) {
	s.t.Helper()
	s.do("mousemove", "400", "500")
	for range times {
		s.do("click", "--repeat", "5", "5", "sleep", "0.2")
	}
}

// idle is the share of a core, in percent, that the window takes when it is left alone.
func (s *screen) idle() float64 {
	s.t.Helper()
	const long = 30 * time.Second
	s.do("mousemove", "5", "740")
	s.calm()
	before := s.processor()
	time.Sleep(long)
	return 100 * (s.processor() - before).Seconds() / long.Seconds()
}

// photos writes JPEG files of 4000 by 3000 pixels. Drawing so many takes long, so only each tenth is drawn, and the others
// differ in what follows the picture in its file.
func photos(b *testing.B, dir string, n int) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	m := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	var encoded bytes.Buffer
	for i := range n {
		if i%10 == 0 {
			encoded.Reset()
			draw(m, uint64(i))
			if err := jpeg.Encode(&encoded, m, &jpeg.Options{Quality: 90}); err != nil {
				b.Fatal(err)
			}
		}
		data := fmt.Appendf(encoded.Bytes()[:encoded.Len():encoded.Len()], "%d", i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("IMG_%04d.jpg", i)), data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// draw fills a picture with grain over patches, so that it is about as hard to decode as a photograph.
func draw(m *image.YCbCr, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	patch := make([]uint8, 64*64)
	for i := range patch {
		patch[i] = uint8(random.Uint32())
	}
	for i := range m.Y {
		x, y := i%m.YStride, i/m.YStride
		m.Y[i] = patch[y/64*64+x/64]/2 + 64 + uint8(random.Uint32())%16
	}
	for i := range m.Cb {
		x, y := i%m.CStride, i/m.CStride
		m.Cb[i], m.Cr[i] = patch[y/32*64+x/32], patch[x/32*64+y/32]
	}
}

// calm waits until the window has nothing left to do: it computes less than a tenth of the time for a while.
func (s *screen) calm() {
	s.t.Helper()
	const while = 3 * time.Second
	s.until("the window is calm", func() bool {
		before := s.processor()
		time.Sleep(while)
		return s.processor()-before < while/10
	})
}

// processor is the time that the window's process has computed.
func (s *screen) processor() time.Duration {
	s.t.Helper()
	fields := strings.Fields(s.proc("stat")[strings.LastIndex(s.proc("stat"), ")")+1:])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // a tick of Linux
}

// peak is the most memory that the window's process has had, in MB.
func (s *screen) peak() float64 {
	s.t.Helper()
	_, rest, _ := strings.Cut(s.proc("status"), "VmHWM:")
	kB, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return kB * 1024 / 1e6
}

func (s *screen) proc(name string) string {
	s.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.window.Process.Pid, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}
