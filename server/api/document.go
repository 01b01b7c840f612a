package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/labstack/echo/v4"
)

// leastCompressed is the size in bytes from which content is compressed: less fits into one packet.
const leastCompressed = 1024

// The content codings of a document, besides the identity.
const (
	codingGzip = "gzip"
	codingZstd = "zstd"
)

// variant is a document in one content coding, with its header values, which are made once so that a request does not
// allocate them. It is immutable.
type variant struct {
	bytes  []byte
	length []string
	tag    []string // a strong entity tag: different bytes have different tags
	coding []string // nil: identity
}

// document is finished content in each content coding. Its best variants are made later, by compress, so that neither
// building nor reading it waits for them.
type document struct {
	contentType []string
	rows        int // from which the content is made, for the usage of tokens

	hash  string
	plain variant
	quick variant              // gzip, made with the document; empty if the content is small
	best  atomic.Pointer[best] // nil until compressed

	example func() (string, error) // shortened, for the documentation; made at the first call
}

// best holds the smallest variants of a document.
type best struct {
	gzip, zstd variant
}

// newDocument returns a document with the content, which must not change any more.
func newDocument(contentType string, content []byte) *document {
	sum := sha256.Sum256(content)
	d := &document{
		contentType: []string{contentType},
		hash:        hex.EncodeToString(sum[:16]),
		example:     sync.OnceValues(func() (string, error) { return shorten(content, exampleRows) }),
	}
	d.plain = d.variant("", content, "")
	if len(content) >= leastCompressed {
		d.quick = d.variant(codingGzip, quicklyGzipped(content), ".quick.gz")
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

// compress makes the best variants, if they are not made yet.
func (d *document) compress() {
	if d.quick.bytes == nil || d.best.Load() != nil {
		return
	}
	d.best.Store(&best{
		gzip: d.variant(codingGzip, gzipped(newGzip(gzip.BestCompression), d.plain.bytes), ".gz"),
		zstd: d.variant(codingZstd, zstdEncoder.EncodeAll(d.plain.bytes, nil), ".zst"),
	})
}

// zstdEncoder is safe for concurrent use.
var zstdEncoder = func() *zstd.Encoder {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic("api: zstd: " + err.Error())
	}
	return encoder
}()

// quickGzips reuses writers for answers that a client waits for: making a writer takes longer than compressing a page.
var quickGzips = sync.Pool{New: func() any { return newGzip(gzip.BestSpeed) }}

func quicklyGzipped(content []byte) []byte {
	w := quickGzips.Get().(*gzip.Writer)
	defer quickGzips.Put(w)
	return gzipped(w, content)
}

func newGzip(level int) *gzip.Writer {
	w, err := gzip.NewWriterLevel(nil, level)
	if err != nil {
		panic("api: gzip: " + err.Error())
	}
	return w
}

func gzipped(w *gzip.Writer, content []byte) []byte {
	var packed bytes.Buffer
	w.Reset(&packed)
	w.Write(content) // to memory, which does not fail
	w.Close()
	return bytes.Clone(packed.Bytes()) // the capacity of the buffer is up to twice that
}

// choose returns the variant that Accept-Encoding prefers; the identity if it accepts nothing.
func (d *document) choose(accept []string) *variant {
	if len(accept) == 0 || d.quick.bytes == nil {
		return &d.plain
	}
	accepted := parseAcceptEncoding(accept)
	smallest := d.best.Load()
	chosen, weight := &d.plain, accepted.plain
	if accepted.prefersGzip() {
		chosen, weight = &d.quick, accepted.gzip
		if smallest != nil {
			chosen = &smallest.gzip
		}
	}
	if smallest != nil && accepted.zstd > 0 && accepted.zstd >= weight {
		chosen = &smallest.zstd
	}
	return chosen
}

// caching is the headers of an answer that control caches.
type caching struct {
	control []string // Cache-Control
	vary    []string // Vary
}

var (
	// cacheRevalidated is for data: only the client may store them, and revalidates them before each use.
	cacheRevalidated = caching{[]string{"private, no-cache"}, []string{"Accept-Encoding, Authorization, Cookie"}}
	// cacheDescription is for descriptions of the API, in the language of the request.
	cacheDescription = caching{[]string{"no-cache"}, []string{"Accept-Encoding, Accept-Language, Cookie"}}
	cacheOneHour     = caching{[]string{"public, max-age=3600"}, []string{"Accept-Encoding"}}
)

// sendDocument sends a document in the coding that the client prefers, or 304 if the client has it already.
func (s *Server) sendDocument(c echo.Context, d *document, cache caching) error {
	request, response := c.Request(), c.Response()
	header, chosen := response.Header(), d.choose(request.Header["Accept-Encoding"])
	header["Cache-Control"], header["Vary"] = cache.control, cache.vary
	if tag := d.matchingTag(request.Header["If-None-Match"], chosen); tag != nil {
		header["Etag"] = tag
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
	countRows(c, d.rows)
	_, err := response.Write(chosen.bytes)
	return err
}

// matchingTag returns the entity tag in If-None-Match that matches the chosen variant, or its content in the quick gzip;
// nil if none does.
func (d *document) matchingTag(ifNoneMatch []string, chosen *variant) []string {
	smallest := d.best.Load()
	for _, value := range ifNoneMatch {
		switch {
		case matchesTag(value, chosen.tag[0]):
			return chosen.tag
		case smallest != nil && chosen == &smallest.gzip && matchesTag(value, d.quick.tag[0]):
			return d.quick.tag
		}
	}
	return nil
}
