package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
)

func TestAChangeAndItsNoteAreOneTransaction(t *testing.T) {
	s := openWithAccounts(t)
	note := store.Note{At: accountsMorning, Event: "user_disabled", Actor: "boris@example.org", Subject: "anne@example.org", Detail: "why", Origin: "192.0.2.1"}
	if err := s.DisableAccount(t.Context(), note, "nobody@example.org", accountsMorning); !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	if err := s.DisableAccount(t.Context(), note, "anne@example.org", accountsMorning); err != nil {
		t.Fatal(err)
	}
	if err := s.EnableAccount(t.Context(), store.Note{}, "anne@example.org"); err != nil { // a change without a note
		t.Fatal(err)
	}
	notes, err := s.Notes(t.Context(), 0, 10)
	if err != nil || len(notes) != 1 {
		t.Fatalf("Notes = %+v, %v; want one, of the change that was made", notes, err)
	}
	note.ID = notes[0].ID
	if diff := cmp.Diff(note, notes[0]); diff != "" {
		t.Errorf("the note (-want +got):\n%s", diff)
	}
}

func TestNotesAreListedByPagesNewestFirst(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	for i := range 5 {
		if err := s.AddNote(t.Context(), store.Note{At: accountsMorning, Event: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	var events string
	for before := int64(0); ; {
		notes, err := s.Notes(t.Context(), before, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(notes) == 0 {
			break
		}
		for _, note := range notes {
			events += note.Event
		}
		events += " "
		before = notes[len(notes)-1].ID
	}
	if events != "43 21 0 " {
		t.Errorf("the pages are %q, want 43 21 0", events)
	}
}
