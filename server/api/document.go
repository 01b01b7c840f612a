package api

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

// variant is a document in one coding, with the lines of the header that go with it: made once, they cost an answer no
// allocation. It never changes.
type variant struct {
	bytes  []byte
	length []string
	tag    []string // strong: other bytes have another tag
	coding []string // nil: as it is
}

// document is finished content in each coding in which it is sent. Its best variants are made by pack, off the way of whoever
// made or reads it.
type document struct {
	contentType []string
	modified    []string // an HTTP date; nil: not known

	hash  string
	plain variant
	quick variant              // gzip, made at once; without bytes if the content is small
	best  atomic.Pointer[best] // nil until packed

	example func() (string, error) // of an answer, for the documentation; shortened when it is first asked for
}

// best is the smallest variants of a document.
type best struct {
	gzip, zstd variant
}

// newDocument makes a document of content that does not change any more.
func newDocument(contentType string, content []byte, modified time.Time) *document {
	sum := sha256.Sum256(content)
	d := &document{
		contentType: []string{contentType},
		hash:        hex.EncodeToString(sum[:16]),
		example:     sync.OnceValues(func() (string, error) { return shorten(content, exampleRows) }),
	}
	if !modified.IsZero() {
		d.modified = []string{modified.UTC().Format(http.TimeFormat)}
	}
	d.plain = d.variant("", content, "")
	if len(content) >= leastPacked {
		d.quick = d.variant(codingGzip, quicklyGzipped(content), "-gzip-quick")
	}
	return d
}

func (d *document) variant(coding string, content []byte, mark string) variant {
	v := variant{bytes: content, length: []string{strconv.Itoa(len(content))}, tag: []string{`"` + d.hash + mark + `"`}}
	if coding != "" {
		v.coding = []string{coding}
	}
	return v
}

// pack makes the best variants, once.
func (d *document) pack() {
	if d.quick.bytes == nil || d.best.Load() != nil {
		return
	}
	d.best.Store(&best{
		gzip: d.variant(codingGzip, gzipped(newGzip(gzip.BestCompression), d.plain.bytes), "-gzip"),
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

// quickGzips are writers for what somebody waits for: each takes more time to make than a page takes to pack.
var quickGzips = sync.Pool{New: func() any { return newGzip(gzip.BestSpeed) }}

func quicklyGzipped(content []byte) []byte {
	w := quickGzips.Get().(*gzip.Writer)
	defer quickGzips.Put(w)
	return gzipped(w, content)
}

func newGzip(level int) *gzip.Writer {
	w, err := gzip.NewWriterLevel(nil, level)
	if err != nil {
		panic("server: gzip: " + err.Error())
	}
	return w
}

func gzipped(w *gzip.Writer, content []byte) []byte {
	var packed bytes.Buffer
	w.Reset(&packed)
	w.Write(content) // into memory, which does not fail
	w.Close()
	return bytes.Clone(packed.Bytes()) // the buffer is up to twice as long
}

// choose is the variant that a request's Accept-Encoding likes best. One that accepts nothing gets the content as it is.
func (d *document) choose(accept []string) *variant {
	if len(accept) == 0 || d.quick.bytes == nil {
		return &d.plain
	}
	liked := parseAcceptEncoding(accept)
	packed := d.best.Load()
	chosen, weight := &d.plain, liked.plain
	if liked.prefersGzip() {
		chosen, weight = &d.quick, liked.gzip
		if packed != nil {
			chosen = &packed.gzip
		}
	}
	if packed != nil && liked.zstd > 0 && liked.zstd >= weight {
		chosen = &packed.zstd
	}
	return chosen
}

// caching is what an answer's header says of keeping it.
type caching struct {
	control []string // Cache-Control
	vary    []string // what it goes by
}

var (
	// onlyToCompare is for data: only its reader may keep them, and asks each time whether they are still the same.
	onlyToCompare = caching{[]string{"private, no-cache"}, []string{"Accept-Encoding, Authorization, Cookie"}}
	forAnHour     = caching{[]string{"public, max-age=3600"}, []string{"Accept-Encoding"}}
)

// sendDocument answers with a document in the coding that is liked best, or says that the caller has it already.
func (s *Server) sendDocument(c echo.Context, d *document, keep caching) error {
	request, response := c.Request(), c.Response()
	header, chosen := response.Header(), d.choose(request.Header["Accept-Encoding"])
	header["Cache-Control"], header["Vary"] = keep.control, keep.vary
	if d.modified != nil {
		header["Last-Modified"] = d.modified
	}
	if held := d.matchingTag(request.Header["If-None-Match"], chosen); held != nil {
		header["Etag"] = held
		response.WriteHeader(http.StatusNotModified)
		return nil
	}
	header["Etag"], header["Content-Type"], header["Content-Length"] = chosen.tag, d.contentType, chosen.length
	if chosen.coding != nil {
		header["Content-Encoding"] = chosen.coding
	}
	response.WriteHeader(http.StatusOK)
	if request.Method == http.MethodHead {
		return nil
	}
	_, err := response.Write(chosen.bytes)
	return err
}

// heldBy is the tag of the chosen variant, or of the same content in gzip made otherwise, that If-None-Match names; nil if
// it names none.
func (d *document) matchingTag(ifNoneMatch []string, chosen *variant) []string {
	packed := d.best.Load()
	for _, value := range ifNoneMatch {
		switch {
		case namesTag(value, chosen.tag[0]):
			return chosen.tag
		case packed != nil && chosen == &packed.gzip && namesTag(value, d.quick.tag[0]):
			return d.quick.tag
		}
	}
	return nil
}
