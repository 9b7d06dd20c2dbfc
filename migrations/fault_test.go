package migrations_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
)

// errKilled is what the client sees when its connection dies.
var errKilled = errors.New("connection was killed")

// dying is a driver.Connector whose connections die at the nth statement that
// writes or begins a transaction, as those of a killed process do.
type dying struct {
	inner driver.Connector
	left  atomic.Int64 // statements until death; negative: dead
}

func (d *dying) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := d.inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &dyingConn{Conn: conn, owner: d}, nil
}

func (d *dying) Driver() driver.Driver { return d.inner.Driver() }

type dyingConn struct {
	driver.Conn
	owner *dying
	dead  bool
}

// step counts a statement and kills the connection when its time has come.
func (c *dyingConn) step() error {
	if c.dead || c.owner.left.Add(-1) >= 0 {
		return nil
	}
	c.dead = true
	_ = c.Conn.Close()
	return errKilled
}

func (c *dyingConn) Close() error {
	if c.dead {
		return nil
	}
	return c.Conn.Close()
}

func (c *dyingConn) IsValid() bool { return !c.dead }

func (c *dyingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.step(); err != nil || c.dead {
		return nil, errKilled
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	return &dyingTx{Tx: tx, conn: c}, err
}

func (c *dyingConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.step(); err != nil || c.dead {
		return nil, errKilled
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
}

func (c *dyingConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	if c.dead {
		return nil, errKilled
	}
	if inner, ok := c.Conn.(driver.QueryerContext); ok {
		return inner.QueryContext(ctx, q, args)
	}
	return nil, driver.ErrSkip
}

// PrepareContext is how SQLite's driver is given statements with parameters.
func (c *dyingConn) PrepareContext(ctx context.Context, q string) (driver.Stmt, error) {
	if c.dead {
		return nil, errKilled
	}
	if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(q)), "select") {
		if err := c.step(); err != nil {
			return nil, errKilled
		}
	}
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, q)
}

// CheckNamedValue leaves parameters to the driver.
func (c *dyingConn) CheckNamedValue(v *driver.NamedValue) error {
	if inner, ok := c.Conn.(driver.NamedValueChecker); ok {
		return inner.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type dyingTx struct {
	driver.Tx
	conn *dyingConn
}

func (t *dyingTx) Commit() error {
	if err := t.conn.step(); err != nil || t.conn.dead {
		return errKilled
	}
	return t.Tx.Commit()
}

func (t *dyingTx) Rollback() error {
	if t.conn.dead {
		return nil
	}
	return t.Tx.Rollback()
}
