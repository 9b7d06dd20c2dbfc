package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

// writeTx is one write inside the transaction of its group.
type writeTx struct {
	ctx context.Context //nolint:containedctx // lives exactly as long as the group
	w   *groupWriter
	now time.Time // the time of everything that the write stores
}

// guard runs work with a fresh time; a panic becomes an error, so that the
// others of the group are not taken down.
func (tx *writeTx) guard(work func(tx *writeTx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = chatops.Errorf(chatops.CodeInternal, "write to the database: panic: %v", p)
		}
	}()
	tx.now = tx.w.now()
	return work(tx)
}

// exec runs a constant statement and returns how many rows it changed.
func (tx *writeTx) exec(query string, args ...any) (int64, error) {
	st, err := tx.w.statement(tx.ctx, query) //nolint:sqlclosecheck // kept until the store is closed
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(tx.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row runs a constant query that gives one row.
func (tx *writeTx) row(query string, args ...any) scanner {
	st, err := tx.w.statement(tx.ctx, query) //nolint:sqlclosecheck // kept until the store is closed
	if err != nil {
		return failedRow{err}
	}
	return st.QueryRowContext(tx.ctx, args...)
}

// each runs a constant query and calls scan for each row.
func (tx *writeTx) each(query string, scan func(row scanner) error, args ...any) error {
	st, err := tx.w.statement(tx.ctx, query) //nolint:sqlclosecheck // kept until the store is closed
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(tx.ctx, args...)
	return eachRow(rows, err, scan)
}

// eachOnce runs a query that is built for the occasion.
func (tx *writeTx) eachOnce(query string, scan func(row scanner) error, args ...any) error {
	rows, err := tx.w.conn.QueryContext(tx.ctx, query, args...)
	return eachRow(rows, err, scan)
}
