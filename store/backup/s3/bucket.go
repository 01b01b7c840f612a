// Package s3 stores files in a bucket of an S3-compatible object store. A file counts as uploaded once the store has confirmed its size
// and checksum, or it has been read back; a download is compared with the checksum that was uploaded with it.
package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// callTimeout is how long a call that transfers no file may take.
	callTimeout = time.Minute
	// transferTimeout is how long an upload or a download may take.
	transferTimeout = 6 * time.Hour
	// tries is how often a call is made that fails for a reason that may pass.
	tries = 3
	// partBytes is how much of a file is uploaded with one call. The store joins the parts of larger files.
	partBytes = 16 << 20
	// maxFileBytes is more than any file has.
	maxFileBytes = 64 << 30

	// checksumKey is the name of the metadata in which a file's SHA-256 is stored.
	checksumKey = "Sha256"
)

// Kinds of error, to be asked for with errors.Is. Their messages name what is wrong and where; what to change is the caller's to say,
// who knows where endpoint, bucket and keys come from.
var (
	ErrNotFound    = errors.New("no such file")
	ErrDamaged     = errors.New("the bucket does not hold what was sent")
	ErrNoBucket    = errors.New("there is no such bucket")
	ErrAccessKey   = errors.New("the store does not know the access key")
	ErrSecretKey   = errors.New("the store refuses the secret key")
	ErrDenied      = errors.New("the store does not allow it")
	ErrRegion      = errors.New("the bucket is in another region")
	ErrMoved       = errors.New("the bucket is at another endpoint")
	ErrFull        = errors.New("the bucket is full")
	ErrCertificate = errors.New("its certificate is not to be trusted")
	ErrUnreached   = errors.New("not reached")
	ErrNotS3       = errors.New("what answers does not speak S3") // such as the page of a proxy
)

// Options is where a bucket is, and the keys to it.
type Options struct {
	Endpoint    string // of the store: https:// or http://, host, and port unless it is the scheme's own
	Name        string
	Region      string // empty: the store is asked for it
	AccessKey   string
	SecretKey   string
	IdleTimeout time.Duration // without a byte to or from the store; 0: a minute
}

// Place is a bucket and a prefix of the keys in it, which is empty or ends with a slash.
type Place struct {
	Options
	Prefix string
}

// Bucket is one bucket. It is safe for concurrent use.
type Bucket struct {
	name    string
	client  minio.Core
	idle    interface{ CloseIdleConnections() }
	secrets *strings.Replacer
}

// Open returns the bucket without calling the store. It fails without an endpoint and both keys.
func Open(o Options) (*Bucket, error) {
	scheme, host, found := strings.Cut(o.Endpoint, "://")
	if !found || o.AccessKey == "" || o.SecretKey == "" {
		return nil, errors.New("bucket: an endpoint and both keys are needed")
	}
	transport := newTransport(o.IdleTimeout)
	client, err := minio.New(host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: scheme == "https", Region: o.Region,
		Transport: limitedTransport{transport}, MaxRetries: tries,
	})
	if err != nil {
		transport.CloseIdleConnections()
		return nil, fmt.Errorf("bucket: %w", err)
	}
	return &Bucket{
		name: o.Name, client: minio.Core{Client: client}, idle: transport,
		secrets: strings.NewReplacer(o.AccessKey, hidden, o.SecretKey, hidden),
	}, nil
}

// Close closes idle connections.
func (b *Bucket) Close() { b.idle.CloseIdleConnections() }

// URL returns the address of a file, or of the bucket if key is empty, such as s3://bucket/key.
func (b *Bucket) URL(key string) string { return strings.TrimSuffix("s3://"+b.name+"/"+key, "/") }

// Object is a file in a bucket, as the store lists it.
type Object struct {
	Key   string
	Bytes int64
	ETag  string // without quotes; it changes with the content
}

// List returns the files whose keys begin with prefix, ascending by key.
func (b *Bucket) List(ctx context.Context, prefix string) ([]Object, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var objects []Object
	for object := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if object.Err != nil {
			return nil, b.explain("list", prefix, object.Err)
		}
		objects = append(objects, Object{Key: object.Key, Bytes: object.Size, ETag: object.ETag})
	}
	if err := ctx.Err(); err != nil { // the list then ends without an error
		return nil, b.explain("list", prefix, err)
	}
	return objects, nil
}

// Upload sends a file, compares what the bucket then contains with it, and returns its ETag there. After an error the content of the key
// cannot be trusted; parts that were uploaded are deleted.
func (b *Bucket) Upload(ctx context.Context, path, key string) (etag string, err error) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, callerContextKey{}, ctx), transferTimeout)
	defer cancel()
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sent, err := checksumsOf(file)
	if err != nil {
		return "", err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	_, err = b.client.Client.PutObject(ctx, b.name, key, file, sent.size, minio.PutObjectOptions{
		PartSize: partBytes, NumThreads: 1, ContentType: "application/octet-stream", UserMetadata: map[string]string{checksumKey: sent.sha256},
		SendContentMd5: true, DisableContentSha256: true, // the MD5 is signed, and more stores support it
	})
	if err != nil {
		return "", b.explain("upload", key, err)
	}
	return b.verify(ctx, key, sent)
}

// verify compares what the bucket contains with what was sent, and returns its ETag. One other than the MD5 is not necessarily a fault,
// since stores that encrypt have another one: then the file itself is read back.
func (b *Bucket) verify(ctx context.Context, key string, sent checksums) (etag string, err error) {
	asked, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stored, err := b.client.StatObject(asked, b.name, key, minio.StatObjectOptions{})
	if err != nil {
		return "", b.explain("verify", key, err)
	}
	if stored.Size != sent.size {
		return "", fmt.Errorf("%w: %s has %d bytes there, and %d were sent", ErrDamaged, b.URL(key), stored.Size, sent.size)
	}
	if stored.ETag == sent.etag {
		return stored.ETag, nil
	}
	back := sha256.New()
	if _, err := b.read(ctx, key, back, func(uint64) error { return nil }); err != nil {
		return "", err
	}
	if hex.EncodeToString(back.Sum(nil)) != sent.sha256 {
		return "", fmt.Errorf("%w: %s reads back differently", ErrDamaged, b.URL(key))
	}
	return stored.ETag, nil
}

// Download writes the content of a key into a new file that only its owner may read, unless room refuses its size, and reports whether
// it was compared with the checksum that Upload sent. The error is ErrNotFound if there is no such key, and ErrDamaged if the content is
// not what Upload sent; after an error no file is left.
func (b *Bucket) Download(ctx context.Context, key, path string, room func(bytes uint64) error) (summed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false, err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			os.Remove(path)
		}
	}()
	sum := sha256.New()
	expected, err := b.read(ctx, key, io.MultiWriter(file, sum), room)
	if err != nil {
		return false, err
	}
	if expected != "" && expected != hex.EncodeToString(sum.Sum(nil)) {
		return false, fmt.Errorf("%w: %s has another checksum than when it was sent", ErrDamaged, b.URL(key))
	}
	return expected != "", nil
}

// Read returns the content of a key, which may have mostBytes at most. Errors are as those of Download.
func (b *Bucket) Read(ctx context.Context, key string, mostBytes uint64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var content bytes.Buffer
	expected, err := b.read(ctx, key, &content, func(size uint64) error {
		if size > mostBytes {
			return fmt.Errorf("%w: %s has %d bytes there", ErrDamaged, b.URL(key), size)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if is := sha256.Sum256(content.Bytes()); expected != "" && expected != hex.EncodeToString(is[:]) {
		return nil, fmt.Errorf("%w: %s has another checksum than when it was sent", ErrDamaged, b.URL(key))
	}
	return content.Bytes(), nil
}

// read copies the content of a key, unless room refuses its size, and returns the SHA-256 that was uploaded with it, or "".
func (b *Bucket) read(ctx context.Context, key string, to io.Writer, room func(bytes uint64) error) (checksum string, err error) {
	body, info, _, err := b.client.GetObject(context.WithValue(ctx, maxBytesKey{}, int64(maxFileBytes)), b.name, key, minio.GetObjectOptions{})
	if err != nil {
		return "", b.explain("download", key, err)
	}
	defer body.Close()
	if info.Size < 0 { // an endless file would fill the disk
		return "", b.explain("download", key, errors.New("the store does not report its size"))
	}
	if err := room(uint64(info.Size)); err != nil {
		return "", err
	}
	copied, err := io.Copy(to, body)
	if err == nil && copied != info.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", b.explain("download", key, err)
	}
	return info.UserMetadata[checksumKey], nil
}

// Remove deletes a file; it is no error if there is none.
func (b *Bucket) Remove(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return b.explain("delete", key, b.client.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}))
}

// AbortUploads deletes the parts of all unfinished uploads to keys that begin with prefix, which killed processes have left.
func (b *Bucket) AbortUploads(ctx context.Context, prefix string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var failed error
	for begun := range b.client.ListIncompleteUploads(ctx, b.name, prefix, true) {
		err := begun.Err
		if err == nil {
			err = b.client.AbortMultipartUpload(ctx, b.name, begun.Key, begun.UploadID)
		}
		// Some stores answer so if no upload was ever begun.
		if minio.ToErrorResponse(err).Code == minio.NoSuchUpload {
			continue
		}
		if err != nil && failed == nil {
			failed = b.explain("take back an upload", begun.Key, err)
		}
	}
	return failed
}

// checksums identify the content of a file.
type checksums struct {
	size   int64
	sha256 string
	etag   string // as a store that does not encrypt makes it
}

// checksumsOf reads a whole file. The ETag of a file that is uploaded in one part is its MD5; of several parts, it is the MD5 of their
// MD5s, a dash, and the number of parts.
func checksumsOf(file io.Reader) (checksums, error) {
	whole := sha256.New()
	file = io.TeeReader(file, whole)
	var size int64
	var parts []byte
	part := md5.New()
	for {
		part.Reset()
		n, err := io.CopyN(part, file, partBytes)
		if n > 0 {
			parts, size = part.Sum(parts), size+n
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return checksums{}, err
		}
	}
	return checksums{size: size, sha256: hex.EncodeToString(whole.Sum(nil)), etag: etag(parts)}, nil
}

func etag(parts []byte) string {
	if len(parts) <= md5.Size {
		return hex.EncodeToString(parts)
	}
	all := md5.Sum(parts)
	return hex.EncodeToString(all[:]) + "-" + strconv.Itoa(len(parts)/md5.Size)
}
