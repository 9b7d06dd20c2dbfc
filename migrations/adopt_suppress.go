package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// foldSuppressed gives the addresses outside ASCII the form in which the rest of
// the program looks them up: NFC, lower case, the domain in ASCII. SQL cannot.
func (a *adoption) foldSuppressed(ctx context.Context, x executor) error {
	rows, err := x.QueryContext(ctx, `select email_key from suppression where octet_length(email_key) <> length(email_key)`)
	if err != nil {
		return fmt.Errorf("read suppressed addresses: %w", err)
	}
	keys, err := collect(rows, func(r *sql.Rows, key *string) error { return r.Scan(key) })
	if err != nil {
		return fmt.Errorf("read suppressed addresses: %w", err)
	}
	for _, key := range keys {
		folded := foldAddress(key)
		if folded == key {
			continue
		}
		for _, statement := range []string{
			`insert into suppression (email_key, scope, source, created_at)
			select ` + literal(folded) + `, scope, source, created_at from suppression where email_key = ` + literal(key) + `
			on conflict (email_key) do update set scope = excluded.scope where excluded.scope = 'all'`,
			`delete from suppression where email_key = ` + literal(key),
		} {
			if _, err := x.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("fold a suppressed address: %w", err)
			}
		}
	}
	return nil
}

// foldAddress returns an address it cannot fold as it is.
func foldAddress(key string) string {
	local, domain, found := strings.Cut(norm.NFC.String(key), "@")
	ascii, err := idna.Lookup.ToASCII(domain)
	if !found || err != nil {
		return key
	}
	return strings.ToLower(local) + "@" + strings.ToLower(ascii)
}
