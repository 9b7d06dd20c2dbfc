package runbook

import (
	"context"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// receiptView is the result of `consent erase`.
type receiptView struct {
	Email      string              `json:"email"`
	Subject    string              `json:"subject"` // digest of the address, as it is kept
	At         timestamp           `json:"at"`
	DryRun     bool                `json:"dry_run"`
	Tables     []erasedTableView   `json:"tables"`
	Recipients []erasedPartnerView `json:"recipients"`
}

type erasedTableView struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	How   string `json:"how"`
}

// erasedPartnerView is somebody who was given the data.
type erasedPartnerView struct {
	Name    string `json:"name"`
	Alerts  int64  `json:"alerts"`     // that told them
	Request *int64 `json:"request_id"` // alert that asks them to delete; null: none
	Status  string `json:"status"`     // of the request
}

// byHand is the status of a recipient that has no way of being asked.
const byHand = "tell them by hand"

// toPerson is the status of mails to the person: nobody else has them.
const toPerson = "the person"

// askedBelow is the status of what a recipient was told when requests of their
// own ask for its deletion.
const askedBelow = "asked to delete"

func viewReceipt(s subject, r *chatops.ErasureReceipt, at time.Time, dryRun bool) *receiptView {
	v := &receiptView{
		Email: s.masked, Subject: s.digest, At: timestamp(at.UTC().Truncate(time.Second)), DryRun: dryRun,
		Tables: make([]erasedTableView, len(r.Tables)), Recipients: []erasedPartnerView{},
	}
	for i, t := range r.Tables {
		v.Tables[i] = erasedTableView(t)
	}
	asked := map[string]bool{}
	for _, partner := range r.Recipients {
		asked[partner.Name] = asked[partner.Name] || partner.AlertID != 0 || partner.Status != ""
	}
	for _, partner := range r.Recipients {
		p := erasedPartnerView{Name: chatops.ShownTarget(partner.Name), Alerts: partner.Alerts, Status: partner.Status}
		switch {
		case strings.EqualFold(partner.Name, "mailto:"+s.key):
			p.Name, p.Status = "mailto:"+s.masked, toPerson
		case partner.AlertID != 0:
			p.Request = &partner.AlertID
		case partner.Status != "":
		case asked[partner.Name]:
			p.Status = askedBelow
		default:
			p.Status = byHand
		}
		v.Recipients = append(v.Recipients, p)
	}
	return v
}

// waitEvery is how often the requests to delete are looked at.
const waitEvery = 250 * time.Millisecond

// await waits until every request to delete has an end, and fills in what
// became of it. CodePartial: one has not been carried out.
func (v *receiptView) await(ctx context.Context, env *Env, p *people, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(waitEvery)
	defer tick.Stop()
	for {
		left, err := v.look(ctx, p)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if left == 0 && err == nil {
			return v.verdict()
		}
		select {
		case <-ctx.Done():
			env.notef("note: %s to delete not answered within %s", chatops.Count(max(left, 1), "request"), chatops.Span(wait))
			return v.verdict()
		case <-tick.C:
		}
	}
}

// look reads the states of the requests and returns how many have no end yet.
func (v *receiptView) look(ctx context.Context, p *people) (left int, err error) {
	for i := range v.Recipients {
		r := &v.Recipients[i]
		if r.Request == nil {
			continue
		}
		alert, _, err := p.Alert(ctx, *r.Request)
		if err != nil {
			return left, err
		}
		r.Status = string(alert.Status)
		if alert.Status == chatops.AlertQueued || alert.Status == chatops.AlertPending {
			left++
		}
	}
	return left, nil
}

// verdict is an error when a recipient that was asked has not deleted.
func (v *receiptView) verdict() error {
	var ids []string
	for _, r := range v.Recipients {
		if r.Request != nil && r.Status != string(chatops.AlertDelivered) {
			ids = append(ids, strconv.FormatInt(*r.Request, 10))
		}
	}
	if ids == nil {
		return nil
	}
	return hint(chatops.Errorf(chatops.CodePartial, "erased here; not yet by everybody who was given the data"),
		"see: chatops dlq list --status all --id %s", strings.Join(ids, ","))
}

// tell names on standard error whom a person has to write to.
func (v *receiptView) tell(env *Env) {
	var names []string
	for _, r := range v.Recipients {
		if r.Request == nil && r.Status == byHand {
			names = append(names, r.Name)
		}
	}
	if names != nil {
		env.notef("note: these were given the data and cannot be asked by a program, tell them by hand: %s", strings.Join(names, ", "))
	}
}

func (v *receiptView) sections(bool) []section {
	list := []section{fields("email", v.Email, "subject", v.Subject, "at", v.At.short(), "dry_run", strconv.FormatBool(v.DryRun))}
	tables := section{title: "tables", columns: []column{{name: "table", whole: true}, {name: "rows", right: true}, {name: "how"}}}
	for _, t := range v.Tables {
		tables.rows = append(tables.rows, []string{t.Table, strconv.FormatInt(t.Rows, 10), t.How})
	}
	partners := section{title: "recipients", columns: []column{
		{name: "name", whole: true}, {name: "alerts", right: true}, {name: "request", right: true}, {name: "status", flex: true},
	}}
	for _, r := range v.Recipients {
		request := ""
		if r.Request != nil {
			request = strconv.FormatInt(*r.Request, 10)
		}
		partners.rows = append(partners.rows, []string{r.Name, strconv.FormatInt(r.Alerts, 10), request, r.Status})
	}
	list = append(list, tables)
	if len(partners.rows) > 0 {
		list = append(list, partners)
	}
	return list
}
