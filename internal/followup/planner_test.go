package followup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/followup"
)

var schedule = []time.Duration{24 * time.Hour}

// fakeStore has people who are due, numbered from 1, and remembers the plans.
type fakeStore struct {
	due    int
	emails map[int64]string
	plans  []*chatops.FollowupPlan
	pages  int
	// planFunc decides about a plan; nil: it is planned.
	planFunc func(p *chatops.FollowupPlan) (bool, error)
	dueErr   error
}

func (s *fakeStore) DueFollowups(_ context.Context, q chatops.DueQuery) ([]chatops.DueFollowup, error) {
	s.pages++
	var page []chatops.DueFollowup
	for id := q.After.ConversationID + 1; id <= int64(s.due) && len(page) < q.Limit; id++ {
		email := s.emails[id]
		if email == "" {
			email = fmt.Sprintf("Jan%d@x.pl", id)
		}
		page = append(page, chatops.DueFollowup{
			ConversationID: id, Email: email, Name: "Jan", Language: "pl", Number: 1, SilentSince: time.Unix(id, 0),
		})
	}
	return page, s.dueErr
}

func (s *fakeStore) PlanFollowup(_ context.Context, p *chatops.FollowupPlan) (bool, error) {
	s.plans = append(s.plans, p)
	if s.planFunc == nil {
		return true, nil
	}
	return s.planFunc(p)
}

func planner(s *fakeStore, change ...func(o *followup.Options)) *followup.Planner {
	o := followup.Options{
		Store: s, Schedule: schedule,
		TextFunc: func(language, name string, number int) followup.Text {
			return followup.Text{
				Subject: fmt.Sprintf("%s %d & co", language, number), Body: "Dzień dobry " + name + ",\n\nhttps://x.example/a?b=1&c=2.\nDo <jutra>",
				Footer: "Dlaczego:", Unsubscribe: "Wypisz mnie",
			}
		},
		KeyFunc:  func(address string) (string, bool) { return strings.ToLower(address), strings.Contains(address, "@") },
		LinkFunc: func(key string) string { return "https://bot.example/unsubscribe?token=" + key + "&x=1" },
	}
	for _, f := range change {
		f(&o)
	}
	return followup.New(o)
}

func TestPlanner_PlansEveryPage(t *testing.T) {
	t.Parallel()
	s := &fakeStore{due: 450, emails: map[int64]string{7: "no address"}}
	s.planFunc = func(p *chatops.FollowupPlan) (bool, error) { return p.ConversationID%10 != 0, nil }
	wakes := 0
	result, err := planner(s, func(o *followup.Options) { o.WakeFunc = func() { wakes++ } }).Run(t.Context())
	if err != nil || result != "planned 404, skipped 46" || s.pages != 3 || len(s.plans) != 449 || wakes != 404 {
		t.Errorf("%q, %v, %d pages, %d plans, %d wakes", result, err, s.pages, len(s.plans), wakes)
	}
}

func TestPlanner_WritesTheMail(t *testing.T) {
	t.Parallel()
	s := &fakeStore{due: 1}
	if _, err := planner(s).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := s.plans[0]
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	if p.Email != "Jan1@x.pl" || p.Mail.Target != chatops.TargetFollowups ||
		p.Mail.IdempotencyKey != "followup:1:1" || strings.Contains(p.Mail.Target+p.Mail.IdempotencyKey, "@") {
		t.Errorf("plan %+v", p)
	}
	var mail chatops.EmailPayload
	if err := json.Unmarshal(p.Mail.Payload, &mail); err != nil {
		t.Fatal(err)
	}
	link := "https://bot.example/unsubscribe?token=jan1@x.pl&x=1"
	if mail.To != "Jan1@x.pl" || mail.Subject != "pl 1 & co" || mail.Unsubscribe != link {
		t.Errorf("mail %+v", mail)
	}
	if want := p.Message + "\n\n-- \nDlaczego:\nWypisz mnie: " + link + "\n"; mail.Text != want {
		t.Errorf("text %q", mail.Text)
	}
	for _, want := range []string{
		`<html lang="pl">`, "<title>pl 1 &amp; co</title>", "<p>Dzień dobry Jan,</p>", "Do &lt;jutra&gt;",
		`<a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.<br>`,
		`<a href="https://bot.example/unsubscribe?token=jan1@x.pl&amp;x=1">Wypisz mnie</a>`,
	} {
		if !strings.Contains(mail.HTML, want) {
			t.Errorf("HTML lacks %s:\n%s", want, mail.HTML)
		}
	}
}

func TestPlanner_GoesOnAfterOneThatCannotBeStored(t *testing.T) {
	t.Parallel()
	s := &fakeStore{due: 5}
	s.planFunc = func(p *chatops.FollowupPlan) (bool, error) {
		if p.ConversationID == 2 {
			return false, chatops.Errorf(chatops.CodeInvalid, "too long")
		}
		return true, nil
	}
	result, err := planner(s).Run(t.Context())
	if chatops.ErrorCode(err) != chatops.CodePartial || !strings.Contains(err.Error(), "1 could not be stored") || result != "planned 4, skipped 0" {
		t.Errorf("%q, %v", result, err)
	}
}

func TestPlanner_EndsWithTheDatabase(t *testing.T) {
	t.Parallel()
	s := &fakeStore{due: 5}
	s.planFunc = func(p *chatops.FollowupPlan) (bool, error) {
		return p.ConversationID == 1, map[bool]error{false: chatops.Errorf(chatops.CodeUnavailable, "gone")}[p.ConversationID == 1]
	}
	result, err := planner(s).Run(t.Context())
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || result != "planned 1, skipped 0" || len(s.plans) != 2 {
		t.Errorf("%q, %v after %d plans", result, err, len(s.plans))
	}
	gone := errors.New("gone")
	if _, err := planner(&fakeStore{dueErr: gone}).Run(t.Context()); !errors.Is(err, gone) {
		t.Errorf("error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s = &fakeStore{due: 5, planFunc: func(*chatops.FollowupPlan) (bool, error) { cancel(); return false, context.Canceled }}
	if _, err := planner(s).Run(ctx); !errors.Is(err, context.Canceled) || len(s.plans) != 1 {
		t.Errorf("error is %v after %d plans", err, len(s.plans))
	}
}

func TestPlanner_WithoutASchedule_DoesNothing(t *testing.T) {
	t.Parallel()
	s := &fakeStore{due: 5}
	result, err := planner(s, func(o *followup.Options) { o.Schedule = nil }).Run(t.Context())
	if err != nil || result != "planned 0, skipped 0" || s.pages != 0 {
		t.Errorf("%q, %v", result, err)
	}
}
