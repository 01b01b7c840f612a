package store_test

import (
	"errors"
	"testing"
	"time"

	"courant/store"
)

func addLink(t *testing.T, s *store.Store, hash, email string) {
	t.Helper()
	if err := s.AddLink(t.Context(), store.Note{}, store.Link{Hash: []byte(hash), Email: email, Expires: accountsMorning.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
}

func TestALinkSetsAPasswordOnceAndEndsTheOthers(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	ctx := t.Context()
	before := accountOf(t, s, "anne@example.org")
	addLink(t, s, "one", "anne@example.org")
	addLink(t, s, "two", "anne@example.org")
	addLink(t, s, "boris's", "boris@example.org")
	if err := s.UseLink(ctx, store.Note{}, []byte("one"), "boris@example.org", "stolen", accountsMorning); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("UseLink for another account = %v, want %v", err, store.ErrNotFound)
	}
	if err := s.UseLink(ctx, store.Note{}, []byte("one"), "anne@example.org", "new", accountsMorning); err != nil {
		t.Fatal(err)
	}
	if after := accountOf(t, s, "anne@example.org"); after.PasswordHash != "new" || after.Epoch == before.Epoch {
		t.Errorf("the account is %+v", after)
	}
	for hash, want := range map[string]string{"one": "", "two": "", "boris's": "boris@example.org"} {
		if got, _ := s.LinkEmail(ctx, []byte(hash), accountsMorning); got != want {
			t.Errorf("the link %s is that of %q, want %q", hash, got, want)
		}
	}
}

func TestLinksThatCannotBeUsed(t *testing.T) {
	for name, prepare := range map[string]func(*store.Store) error{
		"over": nil,
		"account disabled": func(s *store.Store) error {
			return s.DisableAccount(t.Context(), store.Note{}, "anne@example.org", accountsMorning)
		},
		"password set meanwhile": func(s *store.Store) error {
			return s.SetPassword(t.Context(), store.Note{}, "anne@example.org", "other")
		},
		"first of several accounts": nil,
	} {
		t.Run(name, func(t *testing.T) {
			s, now, email := openWithAccounts(t), accountsMorning, "anne@example.org"
			switch name {
			case "over":
				now = now.Add(time.Hour)
			case "first of several accounts":
				email = ""
			}
			addLink(t, s, "hash", email)
			if prepare != nil {
				if err := prepare(s); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.LinkEmail(t.Context(), []byte("hash"), now); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("LinkEmail = %v, want %v", err, store.ErrNotFound)
			}
			if err := s.UseLink(t.Context(), store.Note{}, []byte("hash"), "anne@example.org", "new", now); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("UseLink = %v, want %v", err, store.ErrNotFound)
			}
			if accountOf(t, s, "anne@example.org").PasswordHash == "new" {
				t.Error("the password was set")
			}
		})
	}
}

func TestTheFirstLinkMakesAnAdministratorAndReplacesAFormerOne(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	addLink(t, s, "former", "")
	addLink(t, s, "first", "")
	if err := s.UseLink(t.Context(), store.Note{}, []byte("former"), "anne@example.org", "hash", accountsMorning); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("UseLink of the former one = %v, want %v", err, store.ErrNotFound)
	}
	if err := s.UseLink(t.Context(), store.Note{}, []byte("first"), "anne@example.org", "hash", accountsMorning); err != nil {
		t.Fatal(err)
	}
	if got := accountOf(t, s, "anne@example.org"); got.Role != store.Administrator || got.PasswordHash != "hash" {
		t.Errorf("the first account is %+v", got)
	}
	if err := s.UseLink(t.Context(), store.Note{}, []byte("first"), "eve@example.org", "hash", accountsMorning); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("UseLink again = %v, want %v", err, store.ErrNotFound)
	}
}
