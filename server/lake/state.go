package lake

import (
	"context"
	"time"

	"courant/store/backup/s3"
	"courant/store/market"
)

// State is what the manifests of a place list.
type State struct {
	Name   string // of the place
	Files  int
	Newest time.Time // of the newest commit in them
}

// FolderState reads the state of a folder. It neither writes to the folder nor waits for an export.
func FolderState(ctx context.Context, path string) (State, error) {
	return stateOf(ctx, &folder{path: path})
}

// BucketState reads the state of a bucket, which has to exist.
func BucketState(ctx context.Context, in s3.Place) (State, error) {
	opened, err := openBucket("", in)
	if err != nil {
		return State{}, err
	}
	defer opened.close()
	if _, err := opened.list(ctx, stateFolder+"/"); err != nil {
		return State{}, err
	}
	return stateOf(ctx, opened)
}

func stateOf(ctx context.Context, in place) (State, error) {
	state := State{Name: in.url("")}
	l := &Lake{place: in}
	for _, dataset := range market.Datasets() {
		known, err := l.loadManifest(ctx, dataset)
		if err != nil {
			return state, err
		}
		state.Files += len(known.Files)
		for _, file := range known.Files {
			if file.CommittedAt.After(state.Newest) {
				state.Newest = file.CommittedAt
			}
		}
	}
	return state, nil
}
