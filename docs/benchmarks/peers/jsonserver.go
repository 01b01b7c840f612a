package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

const jsonServerPackage = "json-server@0.17.4"

//go:embed jsonserver/serve.js
var jsonServerScript []byte

// makeJSONServer installs json-server and writes its file. Without node or npm there is none.
func makeJSONServer(ctx context.Context, folder string, rows []row) (*server, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, nil
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	if _, err := output(ctx, folder, nil, nil, npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", jsonServerPackage); err != nil {
		return nil, err
	}
	db, err := json.Marshal(map[string]any{"prices": rows, "document": map[string]any{"rows": rows}})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "db.json"), db, 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "serve.js"), jsonServerScript, 0o600); err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	bytes, err := sizeOf(filepath.Join(folder, "node_modules"))
	if err != nil {
		return nil, err
	}
	runtime, err := filepath.EvalSymlinks(node)
	if err != nil {
		return nil, err
	}
	nodeBytes, err := sizeOf(runtime)
	token := rand.Text()
	hash := sha256.Sum256([]byte(token))
	return &server{
		name: "json-server", folder: folder, command: []string{node, "serve.js", port, hex.EncodeToString(hash[:])},
		addr: addr, token: token, bytes: bytes + nodeBytes,
		ways: []way{
			{"a list", []string{"/prices"}, rowsAlone},
			{"one object", []string{"/document"}, rowsAt("rows")},
		},
	}, err
}
