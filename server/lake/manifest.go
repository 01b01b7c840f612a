package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"courant/server/api/format"
	"courant/store/market"
)

// stateFolder is where manifests and unfinished files are. Engines that read a whole folder skip names that begin with _.
const stateFolder = "_courant"

// manifest lists the files of a dataset by their path. It is written after each of them, so a file that it does not describe is
// written again.
type manifest struct {
	Files map[string]entry `json:"files"`
}

// entry describes a file, and what determines its bytes.
type entry struct {
	Position    int64     `json:"position"` // of the newest commit in it
	CommittedAt time.Time `json:"committed_at"`
	Layout      string    `json:"layout"`
	Rows        int       `json:"rows"`
	Bytes       int64     `json:"bytes"`
	SHA256      string    `json:"sha256"`
	Final       bool      `json:"final"` // no row has a value that is only provisional
	Tag         string    `json:"tag"`   // of a bucket, its ETag
}

// isOf reports whether a file has the rows and the layout of another. It compares times too, because another database, or one that was
// restored from a backup, has the same positions for other commits.
func (e entry) isOf(other entry) bool {
	return e.Position == other.Position && e.CommittedAt.Equal(other.CommittedAt) && e.Layout == other.Layout
}

// layoutVersion changes when the same rows are written in other bytes on purpose.
const layoutVersion = 1

// layoutOf returns what the bytes of a file follow from besides its rows: its columns and what it states about them.
func layoutOf(head format.Head) string {
	sum := sha256.New()
	fmt.Fprintln(sum, layoutVersion, head.Title, head.Attribution, head.Simulated)
	for _, key := range head.Keys {
		fmt.Fprintln(sum, key.Name, key.Text)
	}
	for _, column := range head.Columns {
		fmt.Fprintln(sum, column.Name, column.Kind, column.Unit, column.Text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

func manifestPath(dataset market.Dataset) string {
	return stateFolder + "/" + string(dataset) + ".json"
}

// loadManifest reads the manifest of a dataset. One that is missing or damaged counts as empty.
func (l *Lake) loadManifest(ctx context.Context, dataset market.Dataset) (*manifest, error) {
	content, err := l.place.read(ctx, manifestPath(dataset))
	if err != nil {
		return nil, err
	}
	var read manifest
	if json.Unmarshal(content, &read) != nil || read.Files == nil {
		return &manifest{Files: map[string]entry{}}, nil
	}
	return &read, nil
}

func (l *Lake) saveManifest(ctx context.Context, dataset market.Dataset, m *manifest) error {
	content, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	path := manifestPath(dataset)
	_, err = l.write(ctx, path, func(w *fileWriter) error {
		_, err := w.Write(append(content, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("export to %s: %w", l.place.url(path), explain(err))
	}
	return nil
}
