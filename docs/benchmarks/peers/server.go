package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
)

// server is one of those compared: its data lies ready, and command starts it.
type server struct {
	name    string
	folder  string // its working directory
	command []string
	env     []string // beside the environment of this program
	addr    string
	token   string
	bytes   int64 // what has to be installed
	ways    []way
}

// way is one way to ask a server for the document.
type way struct {
	name  string
	paths []string // asked one after the other; together they are the document
	rows  func(body []byte) ([]row, error)
}

// makeServers builds the servers below folder and gives them the rows, which it returns too. Courant is the first.
func makeServers(ctx context.Context, folder string, progress io.Writer) ([]*server, []row, error) {
	courant, rows, err := makeCourant(ctx, filepath.Join(folder, "courant"))
	if err != nil {
		return nil, nil, fmt.Errorf("make Courant: %w", err)
	}
	servers := []*server{courant}
	for _, peer := range []struct {
		name string
		make func(ctx context.Context, folder string, rows []row) (*server, error)
	}{
		{"plain", makePlain},
		{"pocketbase", makePocketBase},
		{"jsonserver", makeJSONServer},
	} {
		s, err := peer.make(ctx, filepath.Join(folder, peer.name), rows)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("make %s: %w", peer.name, err)
		case s == nil:
			fmt.Fprintf(progress, "%s is left out: there is no node or no npm here\n", peer.name)
		default:
			servers = append(servers, s)
		}
	}
	return servers, rows, nil
}

// freeAddr returns an unused address of the loopback.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// sizeOf counts the bytes of the files at and below path.
func sizeOf(path string) (bytes int64, err error) {
	err = filepath.WalkDir(path, func(_ string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}
