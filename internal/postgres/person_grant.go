package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatops/internal/chatops"
)

// The statements of a grant, one transaction. Rows are locked in the order of
// their ids, conversations first.
const (
	// markOf is of a plain address ($1) and of the marks that erasing it leaves
	// ($2).
	markOf = `coalesce((
    select max(id) from consent_audit_log where lower(email) = any ($1::text[])
    and action in ('unsubscribe', 'revoke_consent', 'marketing_consent_withdrawn')), 0)::text
  || coalesce((
    select '+' || (extract(epoch from max(created_at)) * 1000000)::bigint from suppression where email_key = any ($2::text[])), '')`

	withdrawalMark = `select ` + markOf
	stillAsked     = `
select chatops_require(` + markOf + ` = $3::text, 'grant of consent: it was withdrawn since the person was asked')`

	grantConversations = `
update chat_conversations set marketing_consent = marketing_consent or $2::boolean,
  rodo_consent = rodo_consent or $3::boolean, version = version + 1
where id = any (array(
  select id from chat_conversations where lower(email) = any ($1::text[])
    and ($2::boolean and not marketing_consent or $3::boolean and not rodo_consent)
  order by id for update))`

	grantLeads = `
update leads set marketing_consent = marketing_consent or $3::boolean, rodo_consent = rodo_consent or $4::boolean,
  updated_at = ` + dbNow + `
where id = any (array(
  select id from leads where lower(email) = any ($2::text[])
    and ($3::boolean and not marketing_consent or $4::boolean and not rodo_consent)
  order by id for update))`

	// liftSuppression is of the address itself, not of others of its mailbox.
	liftSuppression   = `delete from suppression where email_key = any ($1::text[])`
	narrowSuppression = `update suppression set scope = 'marketing' where email_key = any ($1::text[]) and scope = 'all'`

	auditGrant = `
select chatops_audit_append(` + dbNow + `, null, null, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text)`
)

// GrantConsent gives consent in one transaction and one round trip.
func (s *Store) GrantConsent(ctx context.Context, g chatops.ConsentGrant) (changed int, err error) {
	if err := g.Validate(); err != nil {
		return 0, err
	}
	now, key, o := s.now(), chatops.CleanText(g.EmailKey), g.Origin.Clipped()
	m := s.mailbox(key)
	own := append([]string{key}, m.Suppressing[1:]...) // the address and its marks
	lift := narrowSuppression
	if g.Marketing {
		lift = liftSuppression
	}
	err = s.batch(ctx, func(b *pgx.Batch) {
		changed = 0
		count := func(tag pgconn.CommandTag) error {
			changed += int(tag.RowsAffected())
			return nil
		}
		queuePersonLock(b, key)
		if g.AskedAt != "" {
			b.Queue(stillAsked, m.Spellings, m.Suppressing[1:], g.AskedAt)
		}
		b.Queue(grantConversations, m.Spellings, g.Marketing, g.RODO).Exec(count)
		b.Queue(grantLeads, now, m.Spellings, g.Marketing, g.RODO).Exec(count)
		b.Queue(lift, own)
		b.Queue(auditGrant, now, key, string(chatops.ActionGrant), o.IPAddress, o.UserAgent, o.Reason, g.AuditNotes())
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// WithdrawalMark returns what changes with every withdrawal.
func (s *Store) WithdrawalMark(ctx context.Context, emailKey string) (mark string, err error) {
	key := chatops.CleanText(emailKey)
	if key == "" {
		return "", chatops.Errorf(chatops.CodeInvalid, "withdrawals of consent: must name an e-mail address")
	}
	m := s.mailbox(key)
	err = s.do(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, withdrawalMark, m.Spellings, m.Suppressing[1:]).Scan(&mark)
	})
	return mark, err
}
