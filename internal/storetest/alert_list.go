package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

func alertListCases() []testCase {
	return []testCase{
		{"Alerts_EachFilterSelectsItsOwn", alertFilters},
		{"Alerts_ErrorIsTakenLiterally", alertErrorLiteral},
		{"Alerts_PagesShowEveryRowOnce", alertPages},
		{"Alerts_OfNothing_HaveNoNextPage", alertNone},
		{"CountAlerts_AgreesWithTheList", alertCount},
	}
}

// described is a row of the list tests.
type described struct {
	target, status, text, fingerprint, operation string
	retries                                      int
	age                                          time.Duration
}

func (e *env) insertDescribed(rows []described) []int64 {
	e.t.Helper()
	made := make([]int64, 0, len(rows))
	for _, r := range rows {
		id := e.insertRaw(r.target, r.status, r.text, e.clock.Peek().Add(-r.age))
		e.exec(fmt.Sprintf(`UPDATE dead_letter_queue SET retry_count = %d, fingerprint = '%s', operation_id = '%s' WHERE id = %d`,
			r.retries, r.fingerprint, r.operation, id))
		made = append(made, id)
	}
	return made
}

func alertFilters(e *env) {
	hour := time.Hour
	made := e.insertDescribed([]described{
		{slackLane, "failed", "HTTP 503 Service Unavailable", "slack:503", "op_1", 5, 1 * hour},
		{slackLane, "pending", "timeout", "slack:timeout", "", 2, 2 * hour},
		{mondayLane, "failed", "ComplexityException", "monday:complexity", "op_2", 5, 3 * hour},
		{"mailto:a@example.pl", "delivered", "", "", "op_1", 1, 4 * hour},
		{"mailto:b@example.pl", "queued", "", "", "", 0, 5 * hour},
		{"webhook:crm", "discarded", "410 gone", "crm:410", "", 0, 6 * hour},
		{"webhook:crm", "cancelled", "", "", "", 0, 7 * hour},
	})
	now := e.clock.Peek()
	pick := func(rows ...int) []int64 {
		out := make([]int64, 0, len(rows))
		for _, r := range rows {
			out = append(out, made[r])
		}
		return out
	}
	for name, c := range map[string]struct {
		f    chatops.AlertFilter
		want []int64
	}{
		"everything":    {chatops.AlertFilter{}, made},
		"one status":    {chatops.AlertFilter{Statuses: []chatops.AlertStatus{"failed"}}, pick(0, 2)},
		"statuses":      {chatops.AlertFilter{Statuses: []chatops.AlertStatus{"failed", "pending"}}, pick(0, 1, 2)},
		"all statuses":  {chatops.AlertFilter{Statuses: chatops.AlertStatuses()}, made},
		"type":          {chatops.AlertFilter{Types: []string{"slack_alert"}}, pick(0, 1)},
		"types":         {chatops.AlertFilter{Types: []string{"slack_alert", "email_alert", "none"}}, pick(0, 1, 3, 4)},
		"target":        {chatops.AlertFilter{Targets: []string{"mailto:b@example.pl"}}, pick(4)},
		"targets":       {chatops.AlertFilter{Targets: []string{"webhook:crm", mondayLane}}, pick(2, 5, 6)},
		"error":         {chatops.AlertFilter{Error: "service unavail"}, pick(0)},
		"fingerprint":   {chatops.AlertFilter{Fingerprint: "crm:410"}, pick(5)},
		"since":         {chatops.AlertFilter{Since: now.Add(-3*hour - time.Minute)}, pick(0, 1, 2)},
		"until":         {chatops.AlertFilter{Until: now.Add(-5*hour - time.Minute)}, pick(5, 6)},
		"window":        {chatops.AlertFilter{Since: now.Add(-150 * time.Minute), Until: now.Add(-90 * time.Minute)}, pick(1)},
		"attempts":      {chatops.AlertFilter{MinAttempts: 2}, pick(0, 1, 2)},
		"ids":           {chatops.AlertFilter{IDs: []int64{made[6], made[1], 987654, made[1]}}, pick(1, 6)},
		"operation":     {chatops.AlertFilter{OperationID: "op_1"}, pick(0, 3)},
		"status and op": {chatops.AlertFilter{OperationID: "op_1", Statuses: []chatops.AlertStatus{"failed"}}, pick(0)},
		"target and error": {chatops.AlertFilter{
			Targets: []string{slackLane}, Error: "TIMEOUT", Types: []string{"slack_alert"}, MinAttempts: 1,
		}, pick(1)},
		"contradiction": {chatops.AlertFilter{Targets: []string{slackLane}, Types: []string{"monday_item"}}, nil},
		"no such id":    {chatops.AlertFilter{IDs: []int64{-1, 0}}, nil},
	} {
		var got []int64
		for _, a := range e.alerts(c.f) {
			got = append(got, a.ID)
		}
		e.wantIDs(name, got, c.want)
		n, err := e.store.CountAlerts(e.ctx, c.f)
		e.must(err)
		if int(n) != len(c.want) {
			e.t.Errorf("%s: CountAlerts says %d, want %d", name, n, len(c.want))
		}
	}

	edge := e.alert(made[2]).CreatedAt
	e.wantIDs("since is inclusive", idsOf(e.alerts(chatops.AlertFilter{Since: edge})), pick(0, 1, 2))
	e.wantIDs("until is exclusive", idsOf(e.alerts(chatops.AlertFilter{Until: edge})), pick(3, 4, 5, 6))
}

func idsOf(alerts []chatops.Alert) []int64 {
	out := make([]int64, 0, len(alerts))
	for _, a := range alerts {
		out = append(out, a.ID)
	}
	return out
}

func alertErrorLiteral(e *env) {
	texts := []string{
		`100% full`, `100 of 100 full`, `file_name`, `filename`, `C:\temp`, `C:temp`, `it's "quoted"`, `[a-z]*.?`, `line one
line two`, `ZAŻÓŁĆ zażółć`, `100\% full`,
	}
	now := e.clock.Peek()
	made := map[string]int64{}
	for i, text := range texts {
		made[text] = e.insertRaw(slackLane, "failed", text, now.Add(-time.Duration(i)*time.Second))
	}
	for search, want := range map[string][]string{
		`100%`:      {`100% full`},
		`0% FULL`:   {`100% full`},
		`%`:         {`100% full`, `100\% full`},
		`_`:         {`file_name`},
		`e_n`:       {`file_name`},
		`:\t`:       {`C:\temp`},
		`\`:         {`C:\temp`, `100\% full`},
		`\%`:        {`100\% full`},
		`'s "q`:     {`it's "quoted"`},
		`[A-Z]*.?`:  {`[a-z]*.?`},
		"one\nline": {texts[8]},
		`zażółć`:    {`ZAŻÓŁĆ zażółć`},
		`full `:     {},
	} {
		var ids []int64
		for _, text := range want {
			ids = append(ids, made[text])
		}
		e.wantIDs(fmt.Sprintf("error filter %q", search), idsOf(e.alerts(chatops.AlertFilter{Error: search})), ids)
	}
}

func alertPages(e *env) {
	now := e.clock.Peek().Truncate(time.Second)
	var made []int64
	for i := range 60 { // ties in runs of 20
		id := e.insertRaw([]string{slackLane, mondayLane}[i%2], []string{"failed", "pending", "delivered"}[i%3], "x",
			now.Add(-time.Duration(i/20)*time.Minute))
		made = append(made, id)
	}
	for run := range slices.Chunk(made, 20) { // the newest is listed first
		slices.Reverse(run)
	}
	filters := map[string]chatops.AlertFilter{
		"everything":   {},
		"two statuses": {Statuses: []chatops.AlertStatus{"failed", "pending"}},
		"target":       {Targets: []string{slackLane}},
		"three":        {Statuses: []chatops.AlertStatus{"failed", "pending", "delivered"}, Types: []string{"slack_alert", "monday_item"}, Error: "x"},
	}
	for name, f := range filters {
		want := idsOf(e.alerts(f))
		if name == "everything" {
			e.wantIDs(name, want, made)
		}
		for _, limit := range []int{1, 7, 20, 59, 60, 61} {
			var got []int64
			var after chatops.AlertCursor
			for pages := 0; ; pages++ {
				page, next, err := e.store.Alerts(e.ctx, f, after, limit)
				e.must(err)
				if len(page) > limit || pages > 61 {
					e.t.Fatalf("%s: page %d has %d alerts, limit %d", name, pages, len(page), limit)
				}
				got = append(got, idsOf(page)...)
				if next == nil {
					break
				}
				if len(page) == 0 {
					e.t.Fatalf("%s: an empty page names a next one", name)
				}
				after = *next
			}
			e.wantIDs(fmt.Sprintf("%s in pages of %d", name, limit), got, want)
		}
	}
	page, next, err := e.store.Alerts(e.ctx, chatops.AlertFilter{}, chatops.AlertCursor{}, 60)
	e.must(err)
	if len(page) != 60 || next != nil {
		e.t.Fatalf("a page that holds the last alert names a next page: %v", next)
	}
}

func alertNone(e *env) {
	page, next, err := e.store.Alerts(e.ctx, chatops.AlertFilter{}, chatops.AlertCursor{}, 50)
	e.must(err)
	if len(page) != 0 || next != nil {
		e.t.Fatalf("an empty queue gives %d alerts and cursor %v", len(page), next)
	}
	e.insertRaw(slackLane, "failed", strings.Repeat("ł", 3000), e.clock.Peek())
	page, next, err = e.store.Alerts(e.ctx, chatops.AlertFilter{}, chatops.AlertCursor{CreatedAt: e.clock.Peek().Add(-time.Hour), ID: 1}, 50)
	e.must(err)
	if len(page) != 0 || next != nil {
		e.t.Fatalf("a page after the end gives %d alerts and cursor %v", len(page), next)
	}
}

func alertCount(e *env) {
	e.fail(slackLane, 4)
	e.enqueue(mondayLane, 3)
	for _, f := range []chatops.AlertFilter{{}, {Statuses: []chatops.AlertStatus{"failed"}}, {Targets: []string{mondayLane}}, {Error: "503"}} {
		n, err := e.store.CountAlerts(e.ctx, f)
		e.must(err)
		if got := int64(len(e.alerts(f))); n != got {
			e.t.Errorf("%+v: count %d, list %d", f, n, got)
		}
	}
}
