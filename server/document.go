package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/labstack/echo/v4"
)

// leastPacked is the size below which content is sent as it is: a packet holds it.
const leastPacked = 1024

// The content codings in which a document is sent beside as it is.
const (
	codingGzip = "gzip"
	codingZstd = "zstd"
)

// variant is a document in one coding. It never changes.
type variant struct {
	coding string // empty: as it is
	bytes  []byte
	length string
	tag    string // strong: other bytes have another tag
}

// document is finished content in each coding in which it is sent. Its best variants are made by pack, off the way of whoever
// made or reads it.
type document struct {
	hash     string
	plain    variant
	quick    variant              // gzip, made at once; without bytes if the content is small
	best     atomic.Pointer[best] // nil until packed
	modified string               // as an HTTP date; empty: not known

	example func() (string, error) // of an answer, for the documentation; shortened when it is first asked for
}

// best is the smallest variants of a document.
type best struct {
	gzip, zstd variant
}

// newDocument makes a document of content that does not change any more.
func newDocument(content []byte, modified time.Time) *document {
	sum := sha256.Sum256(content)
	d := &document{
		hash:    hex.EncodeToString(sum[:16]),
		example: sync.OnceValues(func() (string, error) { return shorten(content, exampleRows) }),
	}
	if !modified.IsZero() {
		d.modified = modified.UTC().Format(http.TimeFormat)
	}
	d.plain = d.variant("", content, "")
	if len(content) >= leastPacked {
		d.quick = d.variant(codingGzip, gzipped(content, gzip.BestSpeed), "-gzip-quick")
	}
	return d
}

func (d *document) variant(coding string, content []byte, mark string) variant {
	return variant{coding: coding, bytes: content, length: strconv.Itoa(len(content)), tag: `"` + d.hash + mark + `"`}
}

// pack makes the best variants, once.
func (d *document) pack() {
	if d.quick.bytes == nil || d.best.Load() != nil {
		return
	}
	d.best.Store(&best{
		gzip: d.variant(codingGzip, gzipped(d.plain.bytes, gzip.BestCompression), "-gzip"),
		zstd: d.variant(codingZstd, packer.EncodeAll(d.plain.bytes, nil), "-zstd"),
	})
}

// packer is safe for concurrent use.
var packer = func() *zstd.Encoder {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic("server: zstd: " + err.Error())
	}
	return encoder
}()

func gzipped(content []byte, level int) []byte {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, level)
	if err != nil {
		panic("server: gzip: " + err.Error())
	}
	w.Write(content) // into memory, which does not fail
	w.Close()
	return packed.Bytes()
}

// choose is the variant that a request's Accept-Encoding likes best. One that accepts nothing gets the content as it is.
func (d *document) choose(accept []string) variant {
	if len(accept) == 0 || d.quick.bytes == nil {
		return d.plain
	}
	liked := parseAcceptEncoding(accept)
	packed := d.best.Load()
	chosen, weight := d.plain, liked.plain
	if liked.likesGzip() {
		chosen, weight = d.quick, liked.gzip
		if packed != nil {
			chosen = packed.gzip
		}
	}
	if packed != nil && liked.zstd > 0 && liked.zstd >= weight {
		chosen = packed.zstd
	}
	return chosen
}

// sendDocument answers with a document in the coding that is liked best, or says that the caller has it already. cache
// is its Cache-Control, and vary what it goes by.
func (s *Server) sendDocument(c echo.Context, d *document, contentType, cache, vary string) error {
	request, header := c.Request(), c.Response().Header()
	chosen := d.choose(request.Header["Accept-Encoding"])
	header.Set("Cache-Control", cache)
	header.Set("Vary", vary)
	header.Set("ETag", chosen.tag)
	if d.modified != "" {
		header.Set("Last-Modified", d.modified)
	}
	if held := d.heldBy(request.Header["If-None-Match"], chosen); held != "" {
		header.Set("ETag", held)
		c.Response().WriteHeader(http.StatusNotModified)
		return nil
	}
	if chosen.coding != "" {
		header.Set("Content-Encoding", chosen.coding)
	}
	return s.send(c, http.StatusOK, contentType, chosen.bytes)
}

// heldBy is the tag of the chosen variant, or of the same content in the same coding packed otherwise, that If-None-Match
// names; empty if it names none.
func (d *document) heldBy(ifNoneMatch []string, chosen variant) string {
	for _, value := range ifNoneMatch {
		switch {
		case namesTag(value, chosen.tag):
			return chosen.tag
		case chosen.coding == codingGzip && chosen.tag != d.quick.tag && namesTag(value, d.quick.tag):
			return d.quick.tag
		}
	}
	return ""
}
