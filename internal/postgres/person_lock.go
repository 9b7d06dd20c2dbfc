package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"github.com/jackc/pgx/v5"

	"chatops/internal/consent"
)

// personLocks is the namespace of the advisory locks of people ("cons").
const personLocks = 0x636f6e73

// lockPerson serialises, until the transaction ends, whatever decides whether a
// person may be written to: withdrawing and giving consent, erasing, and sending
// a follow-up. It is the first lock that such a transaction takes, and is the
// same for all addresses of a mailbox. Nothing is locked without an address.
const lockPerson = `select pg_advisory_xact_lock($1::integer, $2::integer)`

// personLock returns the parameters of lockPerson. Two people with the same
// number wait for each other, which does no harm.
func personLock(emailKey string) []any {
	sum := sha256.Sum256([]byte(consent.LooseKey(emailKey)))
	return []any{int32(personLocks), int32(binary.BigEndian.Uint32(sum[:4]))} //nolint:gosec // any 32 bits will do
}

// lockPersonOf takes the lock in a transaction.
func lockPersonOf(ctx context.Context, tx pgx.Tx, emailKey string) error {
	if emailKey == "" {
		return nil
	}
	_, err := tx.Exec(ctx, lockPerson, personLock(emailKey)...)
	return err
}

// queuePersonLock takes the lock in a batch; it must be the batch's first
// statement, so that the others see what was committed while it waited.
func queuePersonLock(b *pgx.Batch, emailKey string) {
	if emailKey != "" {
		b.Queue(lockPerson, personLock(emailKey)...)
	}
}
