package postgres

import (
	"context"
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// The statements of an erasure. $1 is what names the person in them.
const (
	// personConversations also finds those that know the address by their lead
	// only.
	personConversations = `
with mine as (
  select id, session_id from chat_conversations where lower(email) = any ($1::text[])
  union
  select c.id, c.session_id from leads l join chat_conversations c on c.session_id = l.session_id
  where lower(l.email) = any ($1::text[]) and coalesce(c.email, '') = '')
select coalesce(array_agg(id order by id), '{}'), coalesce(array_agg(session_id order by id), '{}') from mine`

	personLeads = `
select coalesce(array_agg(id order by id), '{}') from leads
where lower(email) = any ($1::text[]) or session_id = any ($2::text[]) and coalesce(email, '') = ''`

	countMessages       = `select count(*) from chat_messages where conversation_id = any ($1::bigint[])`
	countFollowups      = `select count(*) from followup_event where conversation_id = any ($1::bigint[])`
	deleteConversations = `delete from chat_conversations where id = any ($1::bigint[])`

	emptyLeads = `
update leads set session_id = null, name = null, email = null, phone = null, interested_package = null,
  property_size = null, property_type = null, location = null, message = null, notes = null, monday_item_id = null,
  marketing_consent = false, rodo_consent = false, updated_at = ` + dbNow + `
where id = any ($2::bigint[])`

	leadItems = `
select monday_item_id from leads where id = any ($1::bigint[]) and coalesce(monday_item_id, '') <> '' order by id`

	deleteArchive = `delete from adoption_archive where exists (
  select from unnest($1::text[]) name where strpos(lower(data::text), lower(name)) > 0)`

	deleteReplies = `delete from idempotency_key where exists (
  select from unnest($1::text[]) name where strpos(lower(coalesce(reply, '')), lower(name)) > 0)`

	personAlerts = `
from dead_letter_queue d where exists (
  select from unnest($1::text[]) name where strpos(lower(d.payload::text || ' ' || d.target), lower(name)) > 0)`

	countAttempts  = `select count(*) from delivery_attempt where alert_id in (select d.id ` + personAlerts + `)`
	deliveredTo    = `select d.target, count(*) ` + personAlerts + ` and d.delivered_at is not null group by 1 order by 1`
	deleteAlertsOf = `delete from dead_letter_queue where id in (select d.id ` + personAlerts + `)`

	emptyAudit = `
update consent_audit_log set email = '', ip_address = null, user_agent = null, reason = null, notes = null, salt = null
where (lower(email) = any ($1::text[]) or conversation_id = any ($2::bigint[]) or lead_id = any ($3::bigint[]))
  and (email <> '' or salt is not null or concat(ip_address, user_agent, reason, notes) <> '')`

	deleteSuppression = `
with gone as (delete from suppression where email_key = any ($1::text[]) returning scope)
select count(*), coalesce(bool_or(scope = 'all'), false) from gone`

	markErased = `
insert into suppression as s (email_key, scope, source, created_at)
select mark, $3::text, '` + string(chatops.ActionErase) + `', ` + dbNow + ` from unnest($2::text[]) mark
on conflict (email_key) do update set scope = excluded.scope where s.scope = 'marketing' and excluded.scope = 'all'`

	queuedAlert = `select id from dead_letter_queue where idempotency_key = $1::text`
)

// errDryRun ends the transaction of an erasure that is only tried.
var errDryRun = chatops.Errorf(chatops.CodeRefused, "erasure was a dry run")

// ErasePerson erases what is known of an address, in one transaction; a dry run
// does the same and is rolled back.
func (s *Store) ErasePerson(ctx context.Context, e chatops.Erasure) (*chatops.ErasureReceipt, error) {
	key := chatops.CleanText(e.EmailKey)
	m := s.mailbox(key)
	switch {
	case key == "":
		return nil, chatops.Errorf(chatops.CodeInvalid, "erasure: must name an e-mail address")
	case len(m.Suppressing) < 2:
		return nil, chatops.Errorf(chatops.CodeInvalid, "erasure: no consent key to remember the address by: set CONSENT_KEYS")
	}
	var r *chatops.ErasureReceipt
	err := s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		x := eraser{ctx: ctx, tx: tx, now: s.now(), m: m, receipt: &chatops.ErasureReceipt{}}
		if err := x.run(&e); err != nil {
			return err
		}
		r = x.receipt
		if e.DryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return nil, err
	}
	return r, nil
}

// eraser is one erasure.
type eraser struct {
	ctx     context.Context //nolint:containedctx // lives exactly as long as one call
	tx      pgx.Tx
	now     any
	m       consent.Mailbox
	receipt *chatops.ErasureReceipt
}

func (x *eraser) exec(table, how, sql string, args ...any) error {
	tag, err := x.tx.Exec(x.ctx, sql, args...)
	x.receipt.Add(table, how, tag.RowsAffected())
	return err
}

func (x *eraser) count(table, sql string, args ...any) error {
	var n int64
	err := x.tx.QueryRow(x.ctx, sql, args...).Scan(&n)
	x.receipt.Add(table, "deleted", n)
	return err
}

func (x *eraser) run(e *chatops.Erasure) error {
	if err := lockPersonOf(x.ctx, x.tx, x.m.Key); err != nil {
		return err
	}
	var conversations, leads []int64
	var sessions []string
	if err := x.tx.QueryRow(x.ctx, personConversations, x.m.Spellings).Scan(&conversations, &sessions); err != nil {
		return err
	}
	if err := x.tx.QueryRow(x.ctx, personLeads, x.m.Spellings, sessions).Scan(&leads); err != nil {
		return err
	}
	names := personNames(x.m.Spellings, sessions)
	items, err := pgx.CollectRows(x.query(leadItems, leads), pgx.RowTo[string])
	if err != nil {
		return err
	}
	if err := x.recipients(names); err != nil {
		return err
	}
	scope := "marketing"
	for _, step := range []func() error{
		func() error { return x.count("chat_messages", countMessages, conversations) },
		func() error { return x.count("followup_event", countFollowups, conversations) },
		func() error { return x.exec("chat_conversations", "deleted", deleteConversations, conversations) },
		func() error { return x.exec("leads", "emptied", emptyLeads, x.now, leads) },
		func() error { return x.count("delivery_attempt", countAttempts, names) },
		func() error { return x.exec("dead_letter_queue", "deleted", deleteAlertsOf, names) },
		func() error { return x.exec("idempotency_key", "deleted", deleteReplies, names) },
		func() error { return x.exec("adoption_archive", "deleted", deleteArchive, names) },
		func() error {
			return x.exec("consent_audit_log", "emptied", emptyAudit, x.m.Spellings, conversations, leads)
		},
		func() (err error) { scope, err = x.suppression(); return err },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if x.nothing() {
		return chatops.Errorf(chatops.CodeNotFound, "erasure of this address: nothing is known of it")
	}
	marks := x.m.Suppressing[1:]
	if _, err := x.tx.Exec(x.ctx, markErased, x.now, marks, scope); err != nil {
		return err
	}
	if err := x.deleteItems(e, items); err != nil {
		return err
	}
	o := e.Origin.Clipped()
	_, err = x.tx.Exec(x.ctx, auditGrant, x.now, "", string(chatops.ActionErase), o.IPAddress, o.UserAgent, o.Reason, marks[0])
	return err
}

func (x *eraser) query(sql string, args ...any) pgx.Rows {
	rows, _ := x.tx.Query(x.ctx, sql, args...) // CollectRows gives its error
	return rows
}

func (x *eraser) nothing() bool {
	for _, t := range x.receipt.Tables {
		if t.Rows > 0 {
			return false
		}
	}
	return true
}

// recipients lists who was told about the person.
func (x *eraser) recipients(names []string) error {
	rows := x.query(deliveredTo, names)
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r chatops.ErasedRecipient, err error) {
		return r, row.Scan(&r.Name, &r.Alerts)
	})
	x.receipt.Recipients = list
	return err
}

// suppression deletes the address's own row and returns the scope that its
// marks inherit.
func (x *eraser) suppression() (scope string, err error) {
	var n int64
	var all bool
	err = x.tx.QueryRow(x.ctx, deleteSuppression, x.m.Spellings).Scan(&n, &all)
	x.receipt.Add("suppression", "deleted", n)
	if all {
		return "all", err
	}
	return "marketing", err
}

// deleteItems queues the deletion of the items at Monday.
func (x *eraser) deleteItems(e *chatops.Erasure, items []string) error {
	if !e.MondayDeletion || len(items) == 0 {
		return nil
	}
	x.receipt.Recipients = slices.DeleteFunc(x.receipt.Recipients, func(r chatops.ErasedRecipient) bool {
		return r.Name == chatops.TargetMondayLeads
	})
	for _, item := range items {
		alert, err := chatops.MondayDeletion(item)
		if err != nil {
			return err
		}
		columns, err := newAlertColumns([]chatops.NewAlert{alert})
		if err != nil {
			return err
		}
		r := chatops.ErasedRecipient{Name: chatops.TargetMondayLeads, Alerts: 1, Status: "would be asked"}
		if !e.DryRun {
			if _, err := x.tx.Exec(x.ctx, insertAlerts, append([]any{x.now}, columns.params()...)...); err != nil {
				return err
			}
			if err := x.tx.QueryRow(x.ctx, queuedAlert, columns.key[0]).Scan(&r.AlertID); err != nil {
				return err
			}
			r.Status = string(chatops.AlertQueued)
		}
		x.receipt.Recipients = append(x.receipt.Recipients, r)
	}
	return nil
}

// personNames are the texts that name a person in a document: the address, and
// ids of sessions that are too long to be found by chance.
func personNames(spellings, sessions []string) []string {
	const chance = 16
	names := append([]string(nil), spellings...)
	for _, session := range sessions {
		if utf8.RuneCountInString(session) >= chance {
			names = append(names, session)
		}
	}
	return names
}
