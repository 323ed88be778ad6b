package dataset

import (
	"archive/zip"
	"fmt"
)

// maxUnpacked is how many bytes the files of one archive may have together.
const maxUnpacked = 8 << 30

// zip imports the pictures of an archive. Each goes into the importer's folder under the last part of its name, so no
// name can lead out of it; archives within are not opened.
func (im *importer) zip(path string) error {
	r, err := zip.OpenReader(path)
	if err != nil {
		im.refuse(path, fmt.Errorf("the archive cannot be opened: %w", err))
		return nil
	}
	defer r.Close()
	var total uint64
	for _, f := range r.File {
		total += f.UncompressedSize64
	}
	if len(r.File) > maxImported || total > maxUnpacked {
		im.refuse(path, fmt.Errorf("the archive holds %d files of %d MB together; at most %d files of %d MB are unpacked",
			len(r.File), total>>20, maxImported, uint64(maxUnpacked)>>20))
		return nil
	}
	return im.tree(tree{FS: &r.Reader, archive: path}, ".")
}
