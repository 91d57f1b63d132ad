// Package unwrap takes off what a sheet is wrapped in: gzip, zstd, or a zip
// archive with one file in it.
//
// A wrapped file is small and what is inside may be anything, so everything
// here has a limit: Reader gives at most Limit of the wrapped size, Source keeps
// at most MaxSource. Archives with several files are refused: which one is meant
// only a person knows.
package unwrap

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
)

// The wrappings, as sheet.Layout.Compression names them.
const (
	Gzip = "gzip"
	Zstd = "zstd"
	Zip  = "zip"
)

// The limits of what is inside.
const (
	// MaxDepth is how many wrappings are taken off.
	MaxDepth = 3
	// MaxSource is what Source unpacks at most, in bytes.
	MaxSource = 1 << 30
	// inMemory is what Source keeps without a file.
	inMemory = 4 << 20
	// always may be unpacked however small the wrapped file is, and ratio times
	// its size. Text shrinks to a fifth or a twentieth, repeated rows to a
	// hundredth.
	always = 1 << 30
	ratio  = 250
)

// Limit is how many bytes are unpacked at most of a wrapped file of that size.
func Limit(size int64) int64 { return max(always, ratio*size) }

// Kind tells by its first bytes what a file is wrapped in, "" for nothing. A zip
// archive may be a workbook: see Only.
func Kind(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		return Gzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return Zstd
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return Zip
	}
	return ""
}

// Names lists the files in a zip archive, without folders and what macOS and
// Windows add. It returns *fault.BadFile with the codes "corrupt" and
// "too-large".
func Names(src sheet.Source) ([]string, error) {
	files, err := files(src)
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name
	}
	return names, err
}

func files(src sheet.Source) ([]*zip.File, error) {
	z, err := zip.NewReader(src, src.Size())
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, corrupt("The archive is damaged or cut off. Send it again.", err)
	}
	const most = 1 << 16
	if len(z.File) > most {
		return nil, &fault.BadFile{Code: "too-large", Message: "The archive holds too many files."}
	}
	var files []*zip.File
	for _, f := range z.File {
		base := path.Base(f.Name)
		if f.Mode().IsDir() || strings.HasPrefix(f.Name, "__MACOSX/") || base == ".DS_Store" || base == "Thumbs.db" {
			continue
		}
		files = append(files, f)
	}
	return files, nil
}

// Reader gives what is inside the wrappings, outermost first. The caller closes
// it; src stays open. Besides the errors of src it returns, also from Read,
// *fault.BadFile with the codes "corrupt", "encrypted", "too-large" and
// "unsupported".
func Reader(src sheet.Source, wrappings []string) (io.ReadCloser, error) {
	if len(wrappings) == 0 {
		return io.NopCloser(io.NewSectionReader(src, 0, src.Size())), nil
	}
	last := len(wrappings) - 1
	if wrappings[last] == Zip && last > 0 {
		inner, closer, err := Source(src, wrappings[:last])
		if err != nil {
			return nil, err
		}
		r, err := open(inner, Zip)
		if err != nil {
			return nil, errors.Join(err, closer.Close())
		}
		return both{r, closer}, nil
	}
	if last == 0 {
		return open(src, wrappings[0])
	}
	outer, err := Reader(src, wrappings[:last])
	if err != nil {
		return nil, err
	}
	r, err := stream(outer, wrappings[last], Limit(src.Size()))
	if err != nil {
		return nil, errors.Join(err, outer.Close())
	}
	return both{r, outer}, nil
}

// open takes one wrapping off.
func open(src sheet.Source, wrapping string) (io.ReadCloser, error) {
	limit := Limit(src.Size())
	if wrapping != Zip {
		return stream(io.NewSectionReader(src, 0, src.Size()), wrapping, limit)
	}
	all, err := files(src)
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, &fault.BadFile{Code: "empty", Message: "The archive holds no file."}
	case len(all) > 1:
		return nil, &fault.BadFile{
			Code:    "unsupported",
			Message: fmt.Sprintf("The archive holds %d files. Send them one by one, or one archive for each.", len(all)),
		}
	}
	const encrypted = 1
	if all[0].Flags&encrypted != 0 {
		return nil, &fault.BadFile{Code: "encrypted", Message: "The archive is protected by a password. Send it without one."}
	}
	r, err := all[0].Open()
	if err != nil {
		return nil, corrupt("The file in the archive cannot be unpacked.", err)
	}
	return both{&guard{r: r, left: limit}, r}, nil
}

// stream takes gzip or zstd off.
func stream(r io.Reader, wrapping string, limit int64) (io.ReadCloser, error) {
	r = bufio.NewReaderSize(r, 256<<10)
	switch wrapping {
	case Gzip:
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, corrupt("The gzip file is damaged or cut off.", err)
		}
		return both{&guard{r: z, left: limit}, z}, nil
	case Zstd:
		const window = 64 << 20
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
		if err != nil {
			return nil, corrupt("The zstd file is damaged or cut off.", err)
		}
		return both{&guard{r: z, left: limit}, z.IOReadCloser()}, nil
	}
	return nil, &fault.BadFile{Code: "unsupported", Message: fmt.Sprintf("Files wrapped in %q are not read.", wrapping)}
}

func corrupt(message string, cause error) error {
	return &fault.BadFile{Code: "corrupt", Message: message, Cause: cause}
}

// guard gives at most left bytes and names the errors of a damaged file.
type guard struct {
	r    io.Reader
	left int64
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.left -= int64(n)
	switch {
	case g.left < 0:
		return 0, &fault.BadFile{Code: "too-large", Message: "The file unpacks to far more than a table of its size would."}
	case err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return n, err
	}
	if _, ok := errors.AsType[*fault.BadFile](err); ok {
		return n, err
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return n, err
	}
	return n, corrupt("The compressed file is damaged or cut off.", err)
}

type both struct {
	io.Reader
	closer io.Closer
}

func (b both) Close() error {
	err := b.closer.Close()
	if c, ok := b.Reader.(io.Closer); ok {
		return errors.Join(c.Close(), err)
	}
	return err
}

// Source unpacks what is inside the wrappings so that it can be read at any
// place: up to 4 MiB in memory, more in a temporary file that closing removes.
// It returns the errors of Reader, "too-large" beyond MaxSource.
func Source(src sheet.Source, wrappings []string) (sheet.Source, io.Closer, error) {
	if len(wrappings) == 0 {
		return src, nothing{}, nil
	}
	r, err := Reader(src, wrappings)
	if err != nil {
		return nil, nil, err
	}
	inner, closer, err := keep(r)
	if err := errors.Join(err, r.Close()); err != nil {
		if closer != nil {
			err = errors.Join(err, closer.Close())
		}
		return nil, nil, fault.Bare(err)
	}
	return inner, closer, nil
}

func keep(r io.Reader) (sheet.Source, io.Closer, error) {
	head, err := io.ReadAll(io.LimitReader(r, inMemory))
	if err != nil {
		return nil, nil, err
	}
	if len(head) < inMemory {
		return bytes.NewReader(head), nothing{}, nil
	}
	f, err := os.CreateTemp("", "dropload-*")
	if err != nil {
		return nil, nil, err
	}
	t := &temporary{File: f}
	n, err := io.Copy(f, io.MultiReader(bytes.NewReader(head), io.LimitReader(r, MaxSource-inMemory+1)))
	t.size = n
	if err == nil && n > MaxSource {
		err = &fault.BadFile{Code: "too-large", Message: "The compressed workbook unpacks to more than 1 GiB."}
	}
	return t, t, err
}

type nothing struct{}

func (nothing) Close() error { return nil }

// temporary is a file that goes when it is closed.
type temporary struct {
	*os.File
	size int64
}

func (t *temporary) Size() int64 { return t.size }

func (t *temporary) Close() error {
	return errors.Join(t.File.Close(), os.Remove(t.Name()))
}
