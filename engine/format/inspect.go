package format

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
)

// FileKind says what a file or folder holds.
type FileKind string

// The kinds that Inspect tells apart.
const (
	KindUnknown      FileKind = "unknown"
	KindFolder       FileKind = "diffusers folder"
	KindCheckpoint   FileKind = "checkpoint"
	KindLoRA         FileKind = "LoRA"
	KindBundle       FileKind = "LoRA with words"
	KindEmbedding    FileKind = "textual inversion"
	KindHypernetwork FileKind = "hypernetwork"
	KindControlNet   FileKind = "ControlNet"
	KindUNet         FileKind = "UNet"
	KindVAE          FileKind = "VAE"
	KindTextEncoder  FileKind = "text encoder"
	KindCaptioner    FileKind = "BLIP captioner"
	KindTagger       FileKind = "WD tagger"
	KindTensors      FileKind = "tensors"        // of no use known here
	KindPickle       FileKind = "PyTorch pickle" // that Easel does not read
	KindPicture      FileKind = "picture with parameters"
)

// Info is what Inspect found.
type Info struct {
	Path   string
	Kind   FileKind
	Base   string // "SD1", "SD2", "SDXL", "SDXL refiner"; empty where unknown
	Naming string // of a LoRA: "kohya", "diffusers", "peft", "cloneofsimo"
	Note   string // a sentence on what is special or hinders use; may be empty

	Ranks      []int // of a LoRA, ascending, each once
	Tensors    int
	Parameters int64    // elements of all tensors
	DTypes     []string // safetensors types, sorted
	Size       int64    // bytes on disk
	Metadata   map[string]string
	Shapes     []Shape // the first few tensors

	family string // another architecture than Stable Diffusion 1, 2 or XL
}

// Shape is one tensor's name, safetensors type and dimensions.
type Shape struct {
	Name, DType string
	Dims        []int
}

const shapesShown = 8

// Inspect says what lies at path by looking into it; of the name only the ending .safetensors counts, for a file too
// damaged to be known. Errors: NotFound, and BadFile for
// a damaged file of tensors or model folder. A file of another sort is
// no error: its Kind is KindUnknown.
func Inspect(path string) (Info, error) {
	info := Info{Path: path, Kind: KindUnknown}
	stat, err := os.Stat(path)
	if err != nil {
		return info, openError(path, err)
	}
	if stat.IsDir() {
		return inspectFolder(info)
	}
	info.Size = stat.Size()
	if !stat.Mode().IsRegular() {
		return info, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return info, openError(path, err)
	}
	defer f.Close()
	head := make([]byte, 16)
	n, _ := io.ReadFull(f, head)
	head = head[:n]
	switch {
	case looksLikeSafetensors(head, info.Size), strings.EqualFold(filepath.Ext(path), ".safetensors"):
		return inspectTensors(info)
	case bytes.HasPrefix(head, []byte(pngSignature)):
		return inspectPNG(info, f)
	case isPickle(f, head, info.Size):
		info, err := inspectTensors(info)
		if engine.KindOf(err) == engine.Unsupported {
			info.Kind, info.Note = KindPickle, "It was not opened: "+errors.Unwrap(err).Error()+"."
			return info, nil
		}
		return info, err
	}
	return info, nil
}

// looksLikeSafetensors says whether a header of a possible length begins where it should.
func looksLikeSafetensors(head []byte, size int64) bool {
	_, err := headerLength(head, size)
	return err == nil && len(head) > 8 && head[8] == '{'
}

func inspectPNG(info Info, f *os.File) (Info, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return info, openError(info.Path, err)
	}
	if text, err := PNGParameters(f); err == nil {
		info.Kind, info.Metadata = KindPicture, map[string]string{parametersKW: text}
	} else if engine.KindOf(err) == engine.BadFile {
		info.Note = errors.Unwrap(err).Error()
	}
	return info, nil
}

// isPickle knows torch.save's zip by its data.pkl, and the stream before torch 1.6 by its magic number.
func isPickle(f io.ReaderAt, head []byte, size int64) bool {
	if !isZip(head) {
		return isStream(head)
	}
	archive, err := zip.NewReader(f, size)
	if err != nil { // the list of members is at the end of the file, which may be cut off
		return strings.HasSuffix(firstMember(f), "/data.pkl")
	}
	return slices.ContainsFunc(archive.File, func(m *zip.File) bool { return strings.HasSuffix(m.Name, "/data.pkl") })
}

// firstMember is the name that a zip begins with (APPNOTE.TXT 4.3.7); torch writes data.pkl first.
func firstMember(f io.ReaderAt) string {
	const fixed = 30 // bytes before the name
	head := make([]byte, fixed+256)
	n, _ := f.ReadAt(head, 0)
	if n < fixed {
		return ""
	}
	name := head[fixed:n]
	return string(name[:min(len(name), int(binary.LittleEndian.Uint16(head[26:])))])
}

func inspectTensors(info Info) (Info, error) {
	f, err := Open(info.Path)
	if err != nil {
		return info, err
	}
	defer f.Close()
	info.count(f)
	info.Metadata = maps.Clone(f.Metadata())
	c := classify(&info, f)
	if text := note(info, c); text != "" {
		info.Note = text
	}
	return info, nil
}

// count adds the tensors of s.
func (info *Info) count(s Source) {
	for _, name := range s.Names() {
		dtype, dims, _ := s.Info(name)
		info.Tensors++
		n := int64(1)
		for _, d := range dims {
			n *= int64(d)
		}
		info.Parameters += n
		if !slices.Contains(info.DTypes, dtype) {
			info.DTypes = append(info.DTypes, dtype)
		}
		if len(info.Shapes) < shapesShown {
			info.Shapes = append(info.Shapes, Shape{name, dtype, dims})
		}
	}
	slices.Sort(info.DTypes)
}

// inspectFolder looks for a diffusers model, then for a peft adapter or the weights of a single network.
func inspectFolder(info Info) (Info, error) {
	d, err := OpenFolder(os.DirFS(info.Path))
	if engine.KindOf(err) == engine.NotFound {
		for _, name := range append([]string{peftFile}, weightFiles...) {
			if file := filepath.Join(info.Path, name); isFile(file) && filepath.Ext(name) != ".json" {
				return Inspect(file)
			}
		}
		return info, nil
	} else if err != nil {
		return info, err
	}
	defer d.Close()
	info.Kind = KindFolder
	for _, name := range []string{"unet", "text_encoder", "text_encoder_2", "vae"} {
		if d.parts[name] == "" {
			continue
		}
		c, err := d.Component(name)
		if engine.KindOf(err) == engine.Unsupported {
			info.Note = errors.Unwrap(err).Error()
			continue
		} else if err != nil {
			return info, err
		}
		info.count(c.Weights)
		if name == "unet" {
			info.Base = baseOfUNet(c.Weights)
		}
	}
	for _, f := range d.files {
		info.Size += f.size
	}
	if info.Note == "" && info.Base != "SD1" && info.Base != "SD2" {
		info.Note = "This is a " + cmp.Or(d.Class(), "pipeline without a UNet") + ". " + Trains + "."
	}
	return info, nil
}
