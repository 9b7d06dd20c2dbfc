package main

import (
	"context"
	"database/sql"

	"chatops/internal/chatops"
)

// changeFile carries out statements on an SQLite file, in one connection of its
// own.
func changeFile(ctx context.Context, file string, statements ...string) error {
	db, err := sql.Open("sqlite3", "file:"+file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return chatops.WrapError(chatops.CodeInternal, err, "open the database of the drill")
	}
	defer func() { _ = db.Close() }()
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return chatops.WrapError(chatops.CodeInternal, err, "change the database of the drill")
		}
	}
	return nil
}
