package s3_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"go.uber.org/goleak"

	"courant/store/backup/s3"
)

func TestMain(m *testing.M) {
	minio.DefaultRetryUnit = time.Millisecond // of the pauses before calls to a bucket are repeated
	goleak.VerifyTestMain(m)
}

const (
	name      = "backups"
	accessKey = "the-access-key"
	secretKey = "the-secret-key"
)

// fake is a store in memory that can be told to fail.
type fake struct {
	*httptest.Server
	backend *s3mem.Backend

	mu      sync.Mutex
	instead func(w http.ResponseWriter, r *http.Request, store http.Handler) // nil: nothing
	asked   []string
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{backend: s3mem.New()}
	if err := f.backend.CreateBucket(name); err != nil {
		t.Fatal(err)
	}
	store := gofakes3.New(f.backend).Server()
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		instead := f.instead
		f.asked = append(f.asked, r.Method)
		f.mu.Unlock()
		if instead == nil {
			store.ServeHTTP(w, r)
			return
		}
		instead(w, r, store)
	}))
	t.Cleanup(f.Close)
	return f
}

// answer has the fake do something else from now on, and forgets what it was asked.
func (f *fake) answer(instead func(http.ResponseWriter, *http.Request, http.Handler)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instead, f.asked = instead, nil
}

// methods are those of the calls since the last answer.
func (f *fake) methods() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *fake) options() s3.Options {
	return s3.Options{Endpoint: f.URL, Name: name, Region: "fr", AccessKey: accessKey, SecretKey: secretKey}
}

// noBound is where there is room for everything.
func noBound(uint64) error { return nil }

func open(t *testing.T, o s3.Options) *s3.Bucket {
	t.Helper()
	b, err := s3.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// aFile is a file of so many bytes that are not all the same.
func aFile(t *testing.T, size int) (path string, content []byte) {
	t.Helper()
	content = make([]byte, size)
	for i := range content {
		content[i] = byte(i * i >> 8)
	}
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

const severalParts = 17 << 20

func TestAFileGoesUpIsListedComesDownTheSameAndIsRemoved(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1000, severalParts} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			f := newFake(t)
			b := open(t, f.options())
			path, content := aFile(t, size)
			for _, key := range []string{"a/two", "a/one", "b/three"} {
				if _, err := b.Upload(t.Context(), path, key); err != nil {
					t.Fatal(err)
				}
			}
			if keys, err := keysOf(t, b, "a/"); err != nil || !slices.Equal(keys, []string{"a/one", "a/two"}) {
				t.Errorf("keys %q, %v", keys, err)
			}
			back := filepath.Join(t.TempDir(), "back")
			if summed, err := b.Download(t.Context(), "a/one", back, noBound); err != nil || !summed {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes come back of %d, %v", len(got), len(content), err)
			}
			for range 2 {
				if err := b.Remove(t.Context(), "a/one"); err != nil {
					t.Error(err)
				}
			}
			if keys, err := keysOf(t, b, ""); err != nil || !slices.Equal(keys, []string{"a/two", "b/three"}) {
				t.Errorf("keys %q, %v", keys, err)
			}
		})
	}
}

// keysOf are the keys that begin with prefix.
func keysOf(t *testing.T, b *s3.Bucket, prefix string) (keys []string, err error) {
	t.Helper()
	objects, err := b.List(t.Context(), prefix)
	for _, object := range objects {
		keys = append(keys, object.Key)
	}
	return keys, err
}

// onHead changes the headers of what the store says of a file.
func onHead(change func(http.Header)) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, store http.Handler) {
		if r.Method != http.MethodHead {
			store.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		store.ServeHTTP(answer, r)
		copyAnswer(w, answer, change)
	}
}

// telling is the fake as other stores are: of a file of several parts it tells the ETag again that it made.
func telling() func(http.ResponseWriter, *http.Request, http.Handler) {
	var made struct{ ETag string }
	return func(w http.ResponseWriter, r *http.Request, store http.Handler) {
		answer := httptest.NewRecorder()
		store.ServeHTTP(answer, r)
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
			_ = xml.Unmarshal(answer.Body.Bytes(), &made)
		}
		copyAnswer(w, answer, func(h http.Header) {
			if r.Method == http.MethodHead && made.ETag != "" {
				h.Set("ETag", made.ETag)
			}
		})
	}
}

func copyAnswer(w http.ResponseWriter, answer *httptest.ResponseRecorder, change func(http.Header)) {
	change(answer.Header())
	for field, values := range answer.Header() {
		w.Header()[field] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

func TestAnUploadIsComparedWithTheContentOfTheBucket(t *testing.T) {
	t.Parallel()
	encrypted := func(h http.Header) { h.Set("ETag", `"0123456789abcdef0123456789abcdef"`) }
	for name, test := range map[string]struct {
		size    int
		instead func(http.ResponseWriter, *http.Request, http.Handler)
		is      error
		reads   bool // the file back
	}{
		"by its checksum":       {size: 1000, instead: telling()},
		"by that of its parts":  {size: severalParts, instead: telling()},
		"a store that encrypts": {size: 1000, instead: onHead(encrypted), reads: true},
		"cut":                   {size: 1000, instead: onHead(func(h http.Header) { h.Set("Content-Length", "999") }), is: s3.ErrDamaged},
		"changed": {1000, func(w http.ResponseWriter, r *http.Request, store http.Handler) {
			if r.Method == http.MethodGet {
				w = changing{w}
			}
			onHead(encrypted)(w, r, store)
		}, s3.ErrDamaged, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			path, _ := aFile(t, test.size)
			f.answer(test.instead)
			if _, err := open(t, f.options()).Upload(t.Context(), path, "key"); !errors.Is(err, test.is) {
				t.Errorf("Upload = %v", err)
			}
			if reads := slices.Contains(f.methods(), http.MethodGet); reads != test.reads {
				t.Errorf("read back: %v", reads)
			}
		})
	}
}

// changing is an answer of which each byte arrives as another.
type changing struct{ http.ResponseWriter }

func (c changing) Write(p []byte) (int, error) {
	other := make([]byte, len(p))
	for i, b := range p {
		other[i] = ^b
	}
	return c.ResponseWriter.Write(other)
}

// incomplete are the uploads that the store has parts of.
func incomplete(t *testing.T, f *fake) (keys []string) {
	t.Helper()
	for begun := range client(t, f).ListIncompleteUploads(t.Context(), name, "", true) {
		if begun.Err != nil {
			t.Fatal(begun.Err)
		}
		keys = append(keys, begun.Key)
	}
	return keys
}

// client is another program's way to the store.
func client(t *testing.T, f *fake) minio.Core {
	t.Helper()
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	core, err := minio.NewCore(strings.TrimPrefix(f.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(accessKey, secretKey, ""), Region: "fr", Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *core
}

func TestAnUploadThatBreaksLeavesNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b := open(t, f.options())
	path, _ := aFile(t, severalParts)
	f.answer(func(w http.ResponseWriter, r *http.Request, store http.Handler) {
		if r.URL.Query().Get("partNumber") == "2" {
			refuse(w, http.StatusInsufficientStorage, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold.")
			return
		}
		store.ServeHTTP(w, r)
	})
	_, err := b.Upload(t.Context(), path, "key")
	if !errors.Is(err, s3.ErrFull) || err.Error() != "upload s3://backups/key: the bucket is full" {
		t.Errorf("Upload = %v", err)
	}
	if begun := incomplete(t, f); len(begun) > 0 {
		t.Errorf("parts are left of %q", begun)
	}
	if keys, err := keysOf(t, b, ""); err != nil || len(keys) > 0 {
		t.Errorf("keys %q, %v", keys, err)
	}
}

func TestAnUploadThatIsGivenUpIsTakenBack(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	path, _ := aFile(t, severalParts)
	ctx, giveUp := context.WithCancel(t.Context())
	f.answer(func(w http.ResponseWriter, r *http.Request, store http.Handler) {
		if r.URL.Query().Get("partNumber") == "2" {
			giveUp()
		}
		store.ServeHTTP(w, r)
	})
	if _, err := open(t, f.options()).Upload(ctx, path, "key"); !errors.Is(err, context.Canceled) {
		t.Errorf("Upload = %v", err)
	}
	if begun := incomplete(t, f); len(begun) > 0 {
		t.Errorf("parts are left of %q", begun)
	}
}

func TestUploadsOfAKilledProgramAreTakenBackButNotThoseOfOthers(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	other := client(t, f)
	for _, key := range []string{"ours/courant-1", "ours/courant-2", "ours/other", "theirs"} {
		if _, err := other.NewMultipartUpload(t.Context(), name, key, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, f.options()).AbortUploads(t.Context(), "ours/courant-"); err != nil {
		t.Fatal(err)
	}
	if begun := incomplete(t, f); !slices.Equal(begun, []string{"ours/other", "theirs"}) {
		t.Errorf("left: %q", begun)
	}
}

func TestADownloadThatFailsLeavesNoFile(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b := open(t, f.options())
	path, _ := aFile(t, 1000)
	if _, err := b.Upload(t.Context(), path, "key"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		key     string
		instead func(http.ResponseWriter, *http.Request, http.Handler)
		is      error
	}{
		"no such key": {key: "other", is: s3.ErrNotFound},
		"changed": {"key", func(w http.ResponseWriter, r *http.Request, store http.Handler) {
			store.ServeHTTP(changing{w}, r)
		}, s3.ErrDamaged},
		"cut off": {"key", func(w http.ResponseWriter, r *http.Request, store http.Handler) {
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			io.WriteString(w, "the first bytes")
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f.answer(test.instead)
			to := filepath.Join(t.TempDir(), "back")
			if _, err := b.Download(t.Context(), test.key, to, noBound); err == nil || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("Download = %v", err)
			}
			if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a file is left: %v", err)
			}
		})
	}
	f.answer(nil)
	if _, err := b.Download(t.Context(), "key", path, noBound); !errors.Is(err, os.ErrExist) {
		t.Errorf("onto a file that is there: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("which is gone: %v", err)
	}
}

// refuse answers as stores do.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(gofakes3.ErrorResponse{Code: gofakes3.ErrorCode(code), Message: message})
}

func TestAnErrorIsOneLineOfAKnownKindWithoutTheKeys(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	closed := httptest.NewServer(nil)
	closed.Close()
	refusing := func(status int, code string) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			refuse(w, status, code, "Said of "+accessKey+"\nand "+secretKey+strings.Repeat(" and so on", 40))
		}
	}
	for name, test := range map[string]struct {
		change  func(*s3.Options)
		instead func(http.ResponseWriter, *http.Request, http.Handler)
		is      error // nil: no kind of its own
		says    string
	}{
		"no such bucket": {change: func(o *s3.Options) { o.Name = "another" }, is: s3.ErrNoBucket, says: "list s3://another/key: there is no such bucket"},
		"unknown key":    {instead: refusing(403, "InvalidAccessKeyId"), is: s3.ErrAccessKey, says: "list s3://backups/key: the store does not know the access key"},
		"wrong secret":   {instead: refusing(403, "SignatureDoesNotMatch"), is: s3.ErrSecretKey, says: "the store refuses the secret key"},
		"no right":       {instead: refusing(403, "AccessDenied"), is: s3.ErrDenied, says: "the store does not allow it"},
		"wrong region":   {instead: refusing(400, "AuthorizationHeaderMalformed"), is: s3.ErrRegion, says: "the bucket is in another region"},
		"wrong endpoint": {instead: refusing(301, "PermanentRedirect"), is: s3.ErrMoved, says: "the bucket is at another endpoint"},
		"wrong clock":    {instead: refusing(403, "RequestTimeTooSkewed"), says: "set it, best by NTP"},
		"something else": {instead: refusing(409, "SomethingElse"), says: "the store answers 409 SomethingElse Said of [hidden] and [hidden] and so on"},
		"not S3": {instead: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { io.WriteString(w, "<html>Hello</html>") },
			is: s3.ErrNotS3, says: "what answers does not speak S3"},
		"endless": {instead: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			io.WriteString(w, "<ListBucketResult>")
			for line := bytes.Repeat([]byte("<Name>x</Name>"), 5000); ; {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, is: s3.ErrNotS3, says: "what answers does not speak S3"},
		"silent": {change: func(o *s3.Options) { o.IdleTimeout = 20 * time.Millisecond },
			instead: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() },
			says:    "the store took too long: is the line to it good?"},
		"nobody there": {change: func(o *s3.Options) { o.Endpoint = closed.URL }, is: s3.ErrUnreached, says: "connection refused"},
		"no TLS":       {change: func(o *s3.Options) { o.Endpoint = "https" + strings.TrimPrefix(f.URL, "http") }, says: "server gave HTTP response to HTTPS client"},
	} {
		t.Run(name, func(t *testing.T) {
			options := f.options()
			if test.change != nil {
				test.change(&options)
			}
			f.answer(test.instead)
			_, err := open(t, options).List(t.Context(), "key")
			if err == nil {
				t.Fatal("no error")
			}
			said := err.Error()
			if !strings.Contains(said, test.says) || len(said) > 400 || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%s\nwant %s, which is: %v", said, test.says, test.is)
			}
			for _, secret := range []string{accessKey, secretKey, "\n"} {
				if strings.Contains(said, secret) {
					t.Errorf("%q is in %q", secret, said)
				}
			}
		})
	}
}

func TestACertificateOfAnUnknownAuthorityIsNotTrusted(t *testing.T) {
	t.Parallel()
	f := httptest.NewUnstartedServer(nil)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	defer f.Close()
	_, err := open(t, s3.Options{Endpoint: f.URL, Name: name, Region: "fr", AccessKey: accessKey, SecretKey: secretKey}).List(t.Context(), "")
	if !errors.Is(err, s3.ErrCertificate) {
		t.Errorf("List = %v", err)
	}
}

func TestAFileWithoutASizeIsNotDownloaded(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b := open(t, f.options())
	f.answer(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		for range 1000 {
			if _, err := io.WriteString(w, strings.Repeat("x", 1000)); err != nil {
				return
			}
		}
	})
	to := filepath.Join(t.TempDir(), "to")
	asked := false
	_, err := b.Download(t.Context(), "key", to, func(uint64) error { asked = true; return nil })
	if err == nil || !strings.Contains(err.Error(), "the store does not report its size") || asked {
		t.Errorf("Download = %v; the room was looked at: %t", err, asked)
	}
	if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is left: %v", err)
	}
}

func TestAFileThatDoesNotFitOnTheDiskIsNotDownloaded(t *testing.T) {
	t.Parallel()
	b := open(t, newFake(t).options())
	folder := t.TempDir()
	from, to := filepath.Join(folder, "from"), filepath.Join(folder, "to")
	if err := os.WriteFile(from, []byte("a backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Upload(t.Context(), from, "key"); err != nil {
		t.Fatal(err)
	}
	_, err := b.Download(t.Context(), "key", to, func(bytes uint64) error { return fmt.Errorf("no room for %d bytes", bytes) })
	if err == nil || err.Error() != "no room for 8 bytes" {
		t.Errorf("Download = %v", err)
	}
	if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is left: %v", err)
	}
}
