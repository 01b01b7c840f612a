package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// keptInfix and the instant follow the name of a database that a restore has replaced.
const keptInfix = ".before-restore-"

// Restored is what a restore has done.
type Restored struct {
	Kept   string // the new name of the database that was there; empty if there was none
	Summed bool   // the backup was compared with the checksum beside it
}

// Room returns an error if so many bytes may not be written beside the database.
type Room func(bytes uint64) error

// Restore replaces the database at path, if there is one, by a backup. The whole backup is read and checked first, against the checksum
// beside it if there is one, and the database that was there is kept under another name. At every moment one of the two has the
// database's name. The error is ErrInUse while any program has the database open, and ErrNotDatabase or ErrNewer if the backup is not a
// database of this Courant or contains tables, views or triggers that are not Courant's; then nothing has changed.
func Restore(ctx context.Context, backup, path string, now time.Time, room Room) (done Restored, err error) {
	file, err := filepath.Abs(path)
	if err != nil {
		return Restored{}, fmt.Errorf("%w: %s: %w", ErrUnusableFile, path, err)
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	if err := refuseLive(backup, file); err != nil {
		return Restored{}, err
	}
	uses := lockBeside(file, usesSuffix)
	if err := (&Store{path: path}).take(file, uses.TryLock, errOpen); err != nil {
		return Restored{}, err
	}
	defer func() { err = errors.Join(err, uses.Unlock()) }()
	if err := sweep(file); err != nil {
		return Restored{}, err
	}
	if done.Kept, err = keptName(file, now); err != nil {
		return Restored{}, err
	}
	if done.Summed, err = put(ctx, backup, file, done.Kept, room, true); err != nil {
		return Restored{}, err
	}
	return done, nil
}

// errOpen is ErrInUse by any program.
var errOpen = fmt.Errorf("%w, or another program has it open: stop courant serve, and wait for other commands to end", ErrInUse)

// stampLayout is the form of an instant in the name of a file, in UTC.
const stampLayout = "20060102T150405Z"

// keptName returns the name under which the present database will be kept; empty if there is none.
func keptName(file string, now time.Time) (kept string, err error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if err := checkHeader(file, file); err != nil && info.Size() > 0 {
		return "", kindError{err, ErrPathTaken}
	}
	kept = file + keptInfix + now.UTC().Format(stampLayout)
	for first, n := kept, 2; ; n++ { // several restores may be made within a second
		if _, err := os.Lstat(kept); errors.Is(err, fs.ErrNotExist) {
			return kept, nil
		} else if err != nil {
			return "", err
		}
		kept = fmt.Sprintf("%s-%d", first, n)
	}
}

// sweep removes what a killed restore has left: partly written files, and the second name of a database that was not replaced after all.
// The caller has locked the database, or knows that no restore is running.
func sweep(file string) error {
	folder := filepath.Dir(file)
	if err := RemoveUnfinishedFiles(folder); err != nil {
		return err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	database, _ := os.Stat(file) // if there is none, no other file is the same one
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !strings.HasPrefix(entry.Name(), filepath.Base(file)+keptInfix) || !os.SameFile(info, database) {
			continue
		}
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// refuseLive refuses what is no regular file, and a database that is open in a program, or was when it was copied: a part of it is in
// another file.
func refuseLive(backup, file string) error {
	opened, info, err := openRegular(backup)
	if err != nil {
		return err
	}
	opened.Close()
	if database, err := os.Stat(file); err == nil && os.SameFile(info, database) {
		return fmt.Errorf("%s is the database itself: name a backup of it", backup)
	}
	if wal, err := os.Stat(backup + "-wal"); err == nil && wal.Size() > 0 {
		return fmt.Errorf("%s is no backup: a part of it is in %[1]s-wal; courant backup makes one", backup)
	}
	return nil
}

// put replaces the file, which the caller has locked, by the content of the backup, and keeps it under the name kept unless that is empty.
// onlyOurs is as for verify.
func put(ctx context.Context, backup, file, kept string, room Room, onlyOurs bool) (summed bool, err error) {
	part, err := NewUnfinishedFile(file)
	if err != nil {
		return false, err
	}
	defer part.Remove()
	if summed, err = unpack(ctx, part.name, backup, room); err != nil {
		var f finding
		switch {
		case errors.Is(err, ErrNotDatabase): // at all
			return false, fmt.Errorf("%w: %s", err, backup)
		case errors.As(err, &f):
			return false, fmt.Errorf("%w: %s: %w", ErrNotDatabase, backup, f)
		}
		return false, fmt.Errorf("%s: %w", backup, explainFile(err))
	}
	if _, err := verify(ctx, part.name, backup, onlyOurs); err != nil {
		return false, err
	}
	giveToOwner(file, part.name)
	if err := syncFile(part.name); err != nil {
		return false, err
	}
	if kept != "" {
		if err := setAside(ctx, file, kept, room); err != nil {
			return false, fmt.Errorf("%s: %w", file, explainFile(err))
		}
	}
	if err := errors.Join(os.Rename(part.name, file), syncFolder(filepath.Dir(file))); err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	return summed, nil
}

// unpack copies the content of a backup, if there is room for the size in its header, and compares the backup with the checksum beside it,
// if there is one.
func unpack(ctx context.Context, to, backup string, room Room) (summed bool, err error) {
	want, err := readChecksum(backup)
	if err != nil {
		return false, err
	}
	source, info, err := openRegular(backup)
	if err != nil {
		return false, err
	}
	defer source.Close()
	sum := sha256.New()
	from := bufio.NewReader(io.TeeReader(contextReader{ctx, source}, sum))
	err = writeOver(to, func(target io.Writer) error {
		bounded := &boundedWriter{to: target, room: room}
		if !strings.HasSuffix(backup, compressedSuffix) {
			bounded.limit = uint64(info.Size())
			if _, err := io.Copy(bounded, from); err != nil {
				return err
			}
			return bounded.close()
		}
		var header zstd.Header
		begin, _ := from.Peek(zstd.HeaderMaxSize) // a shorter file is returned whole
		if err := header.Decode(begin); err != nil {
			return finding(err.Error())
		}
		if header.HasFCS {
			bounded.limit = header.FrameContentSize
		}
		if err := decompress(bounded, from); err != nil {
			return err
		}
		return bounded.close()
	})
	if err != nil {
		return false, err
	}
	if _, err := io.Copy(io.Discard, from); err != nil {
		return false, err
	}
	if is := hex.EncodeToString(sum.Sum(nil)); want != "" && is != want {
		return false, finding(fmt.Sprintf("it is damaged: its SHA-256 is %s, and %s tells %s", is, filepath.Base(backup)+ChecksumSuffix, want))
	}
	return want != "", nil
}

// finding is an error that says what is wrong with the file of a backup.
type finding string

func (f finding) Error() string { return string(f) }

// roomEvery is how many bytes are written between two checks of the free space.
const roomEvery = 16 << 20

// boundedWriter writes a database up to the size in its own header or in the header of the compressed file, while there is room.
type boundedWriter struct {
	to      io.Writer
	room    Room
	limit   uint64 // bytes; 0: not known
	begin   []byte // the header of the database, as far as it was read; nothing is written before it is complete
	written uint64
	checked uint64 // how much was written when the free space was last checked
}

// Write implements io.Writer.
func (w *boundedWriter) Write(p []byte) (int, error) {
	if w.written > 0 {
		return w.write(p)
	}
	missing := min(len(p), headerBytes-len(w.begin))
	w.begin = append(w.begin, p[:missing]...)
	if len(w.begin) < headerBytes {
		return missing, nil
	}
	if !isSQLite(w.begin) || !isOurs(w.begin) {
		return 0, ErrNotDatabase
	}
	if w.limit == 0 {
		w.limit = sizeInHeader(w.begin)
	}
	if err := w.room(w.limit); err != nil {
		return 0, err
	}
	if _, err := w.write(w.begin); err != nil {
		return 0, err
	}
	n, err := w.write(p[missing:])
	return missing + n, err
}

func (w *boundedWriter) write(p []byte) (int, error) {
	if w.limit > 0 && w.written+uint64(len(p)) > w.limit {
		return 0, finding(fmt.Sprintf("it holds more than the %d bytes that its header gives", w.limit))
	}
	if w.written-w.checked >= roomEvery {
		if err := w.room(0); err != nil {
			return 0, err
		}
		w.checked = w.written
	}
	n, err := w.to.Write(p)
	w.written += uint64(n)
	return n, err
}

// close returns an error if the input ended within the header of the database.
func (w *boundedWriter) close() error {
	if w.written == 0 {
		return ErrNotDatabase
	}
	return nil
}

// headerBytes is the length of the header of a SQLite file.
const headerBytes = 100

// sizeInHeader returns the size of a SQLite file according to its header; 0 if that is not valid, as after a write by SQLite before 3.7.0
// (https://www.sqlite.org/fileformat.html#in_header_database_size).
func sizeInHeader(header []byte) uint64 {
	pageSize, pages := uint64(binary.BigEndian.Uint16(header[16:])), uint64(binary.BigEndian.Uint32(header[28:]))
	if pageSize == 1 {
		pageSize = 1 << 16
	}
	if string(header[24:28]) != string(header[92:96]) {
		return 0
	}
	return pageSize * pages
}

func writeOver(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

func copyFile(ctx context.Context, to io.Writer, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	_, err = io.Copy(to, contextReader{ctx, source})
	return err
}

// setAside gives the database a second name, under which it stays when its first name is given to the backup.
func setAside(ctx context.Context, file, kept string, room Room) error {
	damaged := false
	if err := foldLog(ctx, file); errors.Is(err, ErrNotDatabase) {
		damaged = true // which is a reason to restore
	} else if err != nil {
		return err
	}
	// The files beside a database whose log was not folded in belong to it, and would corrupt the new one.
	for _, suffix := range []string{"-wal", "-journal", "-shm"} {
		if _, err := os.Stat(file + suffix); damaged && err == nil {
			if err := os.Rename(file+suffix, kept+suffix); err != nil {
				return err
			}
		}
	}
	if err := os.Link(file, kept); err == nil {
		return syncFolder(filepath.Dir(file))
	}
	// Not every file system has hard links.
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := room(uint64(info.Size())); err != nil {
		return err
	}
	return writeNew(kept, refuseExisting, func(part string) error {
		return writeOver(part, func(target io.Writer) error { return copyFile(ctx, target, file) })
	})
}

// foldLog writes the write-ahead log into the database file, which no other program may have open, and removes the files beside it.
func foldLog(ctx context.Context, file string) error {
	s := &Store{path: file}
	db, err := sql.Open("sqlite", uri(file))
	if err != nil {
		return s.explain(err)
	}
	defer db.Close()
	var mode string
	err = s.explain(db.QueryRowContext(ctx, "PRAGMA journal_mode = delete").Scan(&mode))
	if errors.Is(err, ErrBusy) || err == nil && mode != "delete" {
		return errOpen
	}
	return err
}
