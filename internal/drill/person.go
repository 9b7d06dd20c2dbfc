package drill

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

const (
	// question is what the person has asked, and nobody else.
	question = "Ile kosztuje wykończenie 54 m2 na Zaspie?"
	// boardItem is the person's item on the board of leads.
	boardItem = "4711"
)

// known makes the person somebody who has talked to us, and is a lead on the
// board.
func (r *Range) known(ctx context.Context) error {
	if err := r.silent(ctx); err != nil {
		return err
	}
	at := time.Now().UTC().Add(-25 * time.Hour).Format(sqlTime)
	return r.SQLFunc(ctx,
		fmt.Sprintf(`insert into chat_messages (conversation_id, message, sender, timestamp) values (4711, '%s', 'user', '%s')`, question, at),
		fmt.Sprintf(`insert into leads (session_id, name, email, message, monday_item_id) values ('drill-4711', 'Anna', '%s', '%s', '%s')`, person, question, boardItem),
	)
}

func personAsks() Drill {
	return Drill{
		Name: "person-asks",
		Symptom: "A letter of 3 March: a visitor wants to know what we store about her, and have a copy. " +
			"Her address is in the file address.txt. The copy is to be anna.json, or anna.csv, beside it.",
		breakFunc: func(ctx context.Context, r *Range) (string, error) { return "", r.known(ctx) },
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			looks, err := r.Store.AccessLog(ctx, "", 100)
			if err != nil {
				return "", err
			}
			copied, err := r.copied()
			exported := slices.ContainsFunc(looks, func(e chatops.AccessEntry) bool { return e.Command == "consent export" })
			switch {
			case err != nil:
				return "", err
			case !copied:
				return "there is no copy of what she has said", nil
			case !exported:
				return "a copy is there, and that it was made is not on record", nil
			}
			return "", nil
		},
	}
}

// copied reports whether a file for the person holds what she has said.
func (r *Range) copied() (bool, error) {
	files, err := filepath.Glob(filepath.Join(r.Folder, "anna.*"))
	if err != nil {
		return false, err
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return false, chatops.Errorf(chatops.CodeUnavailable, "drill: read the copy: %w", err)
		}
		if strings.Contains(string(raw), question) {
			return true, nil
		}
	}
	return false, nil
}

// newKey is a key of CONSENT_KEYS.
func newKey() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	return "drill:" + base64.StdEncoding.EncodeToString(secret[:])
}

func personForgotten() Drill {
	return Drill{
		Name: "person-forgotten",
		Symptom: "A letter of 3 March: a visitor wants us to delete all that we have about her. " +
			"Her address is in the file address.txt. Sales have her on their Monday board.",
		Settings:  map[string]string{"CONSENT_KEYS": newKey()}, // what is left of her is a digest by this key
		breakFunc: func(ctx context.Context, r *Range) (string, error) { return "", r.known(ctx) },
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			p, err := r.Store.Person(ctx, person)
			switch {
			case chatops.ErrorCode(err) == chatops.CodeNotFound:
				p = &chatops.Person{}
			case err != nil:
				return "", err
			}
			switch {
			case len(p.Conversations)+len(p.Leads) > 0:
				return "she is still stored", nil
			case p.Suppression == nil:
				return "", spoilt("her rows are gone, and nothing keeps us from writing to her again")
			case !r.monday.removed(boardItem):
				return "the board still has her", nil
			}
			return "", nil
		},
	}
}
