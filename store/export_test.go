package store

import "database/sql"

// WriterPool is the one connection that writes, so that a test can ask SQLite itself.
func (s *Store) WriterPool() *sql.DB { return s.writer }

// ReaderPool is the connections that only read.
func (s *Store) ReaderPool() *sql.DB { return s.reader }
