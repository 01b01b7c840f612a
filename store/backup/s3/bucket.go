// Package s3 keeps files in a bucket of a store that speaks the S3 protocol. A file counts as there once the store has told
// its size and its checksum, or has given it back; what comes down is compared with what went up.
package s3

import (
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

	"courant/auth/secret"
)

const (
	// callTimeout is how long a call that moves no file may take.
	callTimeout = time.Minute
	// transferTimeout is how long a file may take to go up or down.
	transferTimeout = 6 * time.Hour
	// tries is how often a call that fails for a reason that may pass is made.
	tries = 3
	// partBytes is how much of a file goes up with one call; of more, the store makes one file in the end.
	partBytes = 16 << 20
	// mostFileBytes is more than a backup ever has.
	mostFileBytes = 64 << 30

	// checksumKey is the name under which a file's SHA-256 goes up with it.
	checksumKey = "Sha256"
)

// Kinds of error. A caller asks with errors.Is; the message says the rest.
var (
	ErrNotFound = errors.New("no such file")
	ErrDamaged  = errors.New("the bucket does not hold what was sent")
)

// Options is where a bucket is, and whose.
type Options struct {
	Endpoint  string // of the store: https:// or http://, host, and port where it is another
	Name      string
	Region    string // empty: the store is asked for it
	AccessKey string
	SecretKey string
	Patience  time.Duration // without a byte to or from the store; 0: a minute
}

// Bucket is one bucket. It is safe for concurrent use.
type Bucket struct {
	name    string
	client  minio.Core
	idle    interface{ CloseIdleConnections() }
	secrets *strings.Replacer
}

// Open makes a bucket known; nothing is called yet.
func Open(o Options) (*Bucket, error) {
	scheme, host, found := strings.Cut(o.Endpoint, "://")
	if !found || o.AccessKey == "" || o.SecretKey == "" {
		return nil, errors.New("bucket: an endpoint and both keys are needed")
	}
	transport := newTransport(o.Patience)
	client, err := minio.New(host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: scheme == "https", Region: o.Region,
		Transport: bounded{transport}, MaxRetries: tries,
	})
	if err != nil {
		transport.CloseIdleConnections()
		return nil, fmt.Errorf("bucket: %w", err)
	}
	return &Bucket{
		name: o.Name, client: minio.Core{Client: client}, idle: transport,
		secrets: strings.NewReplacer(o.AccessKey, secret.Hidden, o.SecretKey, secret.Hidden),
	}, nil
}

// Close lets go of the connections that wait for the next call.
func (b *Bucket) Close() { b.idle.CloseIdleConnections() }

// URL names a file of the bucket, or the bucket where key is empty.
func (b *Bucket) URL(key string) string { return strings.TrimSuffix("s3://"+b.name+"/"+key, "/") }

// Keys are those of the files that begin with prefix, ascending.
func (b *Bucket) Keys(ctx context.Context, prefix string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var keys []string
	for object := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if object.Err != nil {
			return nil, b.explain("list", prefix, object.Err)
		}
		keys = append(keys, object.Key)
	}
	if err := ctx.Err(); err != nil { // the list ends without a word then
		return nil, b.explain("list", prefix, err)
	}
	return keys, nil
}

// Upload sends a file and compares what the bucket then holds with it. After an error the key may hold what is not to be
// trusted; parts that went up are taken back.
func (b *Bucket) Upload(ctx context.Context, path, key string) error {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, callerKey{}, ctx), transferTimeout)
	defer cancel()
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sent, err := sumsOf(file)
	if err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = b.client.Client.PutObject(ctx, b.name, key, file, sent.size, minio.PutObjectOptions{
		PartSize: partBytes, NumThreads: 1, ContentType: "application/octet-stream", UserMetadata: map[string]string{checksumKey: sent.sha256},
		SendContentMd5: true, DisableContentSha256: true, // the MD5 is signed, and known to more stores
	})
	if err != nil {
		return b.explain("upload", key, err)
	}
	return b.prove(ctx, key, sent)
}

// prove holds what the bucket has against what was sent. An ETag that is not the MD5 need not mean a fault: a store that encrypts
// gives another. Then the file itself is read back.
func (b *Bucket) prove(ctx context.Context, key string, sent sums) error {
	asked, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	held, err := b.client.StatObject(asked, b.name, key, minio.StatObjectOptions{})
	if err != nil {
		return b.explain("verify", key, err)
	}
	if held.Size != sent.size {
		return fmt.Errorf("%w: %s has %d bytes there, and %d were sent", ErrDamaged, b.URL(key), held.Size, sent.size)
	}
	if held.ETag == sent.etag {
		return nil
	}
	back := sha256.New()
	if _, err := b.read(ctx, key, back, func(uint64) error { return nil }); err != nil {
		return err
	}
	if hex.EncodeToString(back.Sum(nil)) != sent.sha256 {
		return fmt.Errorf("%w: %s reads back differently", ErrDamaged, b.URL(key))
	}
	return nil
}

// Download writes what a key holds into a new file for its owner alone, once room says nothing against its size, and tells whether
// it was compared with the checksum that Upload sent with it. ErrNotFound if there is none, ErrDamaged if it is not what Upload sent;
// then no file is left.
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
	told, err := b.read(ctx, key, io.MultiWriter(file, sum), room)
	if err != nil {
		return false, err
	}
	if told != "" && told != hex.EncodeToString(sum.Sum(nil)) {
		return false, fmt.Errorf("%w: %s has another checksum than when it was sent", ErrDamaged, b.URL(key))
	}
	return told != "", nil
}

// read copies what a key holds, once room says nothing against its size, and returns the SHA-256 that went up with it; empty if none
// did.
func (b *Bucket) read(ctx context.Context, key string, to io.Writer, room func(bytes uint64) error) (told string, err error) {
	body, info, _, err := b.client.GetObject(context.WithValue(ctx, roomKey{}, int64(mostFileBytes)), b.name, key, minio.GetObjectOptions{})
	if err != nil {
		return "", b.explain("download", key, err)
	}
	defer body.Close()
	if info.Size < 0 { // what does not end would fill the disk
		return "", b.explain("download", key, errors.New("the store does not tell its size"))
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

// Remove deletes a file; none is no error.
func (b *Bucket) Remove(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return b.explain("delete", key, b.client.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}))
}

// AbortUploads takes back the parts of all uploads to keys that begin with prefix: whoever sent them was killed.
func (b *Bucket) AbortUploads(ctx context.Context, prefix string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var failed error
	for begun := range b.client.ListIncompleteUploads(ctx, b.name, prefix, true) {
		err := begun.Err
		if err == nil {
			err = b.client.AbortMultipartUpload(ctx, b.name, begun.Key, begun.UploadID)
		}
		// Some stores say so where none was ever begun.
		if minio.ToErrorResponse(err).Code == minio.NoSuchUpload {
			continue
		}
		if err != nil && failed == nil {
			failed = b.explain("take back an upload", begun.Key, err)
		}
	}
	return failed
}

// sums are what a file is known by.
type sums struct {
	size   int64
	sha256 string
	etag   string // as a store that does not encrypt makes it
}

// sumsOf reads a file whole. The ETag of a file that goes up in one part is its MD5; of more, the MD5 of their MD5s, a dash, and how
// many.
func sumsOf(file io.Reader) (sums, error) {
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
			return sums{}, err
		}
	}
	return sums{size: size, sha256: hex.EncodeToString(whole.Sum(nil)), etag: etag(parts)}, nil
}

func etag(parts []byte) string {
	if len(parts) <= md5.Size {
		return hex.EncodeToString(parts)
	}
	all := md5.Sum(parts)
	return hex.EncodeToString(all[:]) + "-" + strconv.Itoa(len(parts)/md5.Size)
}
