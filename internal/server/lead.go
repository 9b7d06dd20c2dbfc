package server

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

// LeadStore is what the sales team's clients read and change; chatops.LeadStore
// has it. The contracts are those of chatops.LeadStore.
type LeadStore interface {
	Lead(ctx context.Context, id int64) (*chatops.Lead, error)
	UpdateLead(ctx context.Context, id int64, change chatops.LeadChange) (before, after *chatops.Lead, err error)
	SetLeadStatus(ctx context.Context, ids []int64, status chatops.LeadStatus) (changed int, missing []int64, err error)
	Leads(ctx context.Context, f chatops.LeadFilter, offset, limit int) (page []chatops.Lead, total int64, err error)
	EachLead(ctx context.Context, f chatops.LeadFilter, visit func(*chatops.Lead) error) error
}

// leadJSON is a lead as the API shows it.
type leadJSON struct {
	ID           int64     `json:"id"`
	Name         string    `json:"name"`
	Email        string    `json:"email"`
	Phone        *string   `json:"phone"`
	Message      *string   `json:"message"`
	Status       string    `json:"status" enum:"new,contacted,qualified,converted,lost"`
	MondayItemID *string   `json:"monday_item_id" doc:"null until the item on Monday.com is known"`
	CreatedAt    time.Time `json:"created_at" doc:"UTC"`
}

func showLead(l *chatops.Lead) *leadJSON {
	return &leadJSON{
		ID: l.ID, Name: l.Name, Email: l.Email, Phone: orNull(l.Phone), Message: orNull(l.Message),
		Status: string(l.Status), MondayItemID: orNull(l.MondayItemID), CreatedAt: l.CreatedAt.UTC(),
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

type (
	leadOutput  struct{ Body *leadJSON }
	leadIDInput struct {
		ID string `path:"id" doc:"The lead's id, a whole number" example:"7"`
	}
	leadIDBody struct {
		ID      string `path:"id" doc:"The lead's id, a whole number" example:"7"`
		RawBody []byte `contentType:"application/json"`
	}
	statusOutput struct{ Body statusChange }
	statusChange struct {
		ID           int64  `json:"id"`
		OldStatus    string `json:"old_status"`
		NewStatus    string `json:"new_status"`
		MondaySynced bool   `json:"monday_synced" doc:"Whether the lead's item on Monday.com is known"`
	}
	bulkOutput struct{ Body bulkResult }
	bulkResult struct {
		Success bool     `json:"success"`
		Updated int      `json:"updated" doc:"Leads that have the status now"`
		Errors  []string `json:"errors" doc:"One text for each lead that does not exist; null when there is none"`
	}
)

func (s *Server) addLeads() {
	if s.opts.CreateLeadFunc != nil {
		s.addLeadCreation()
	}
	if s.opts.Leads == nil {
		return
	}
	s.addLeadLists()
	addOperation(s, huma.Operation{
		OperationID: "lead", Method: http.MethodGet, Path: "/api/leads/{id}", Summary: "One lead",
		Tags: []string{"Leads"}, Security: adminSecurity, Errors: []int{401, 404},
	}, s.lead)
	addJSON[leadChangeBody](s, huma.Operation{
		OperationID: "lead-update", Method: http.MethodPut, Path: "/api/leads/{id}", Summary: "Change a lead",
		Description: "Fields that are left out stay as they are. What is sent is checked as at creation.",
		Tags:        []string{"Leads"}, Security: adminSecurity, Errors: []int{401, 404},
	}, s.updateLead)
	addJSON[leadStatusBody](s, huma.Operation{
		OperationID: "lead-status", Method: http.MethodPatch, Path: "/api/leads/{id}/status", Summary: "Set a lead's status",
		Tags: []string{"Leads"}, Security: adminSecurity, Errors: []int{401, 404},
	}, s.patchStatus)
	addJSON[bulkBody](s, huma.Operation{
		OperationID: "lead-bulk-update", Method: http.MethodPost, Path: "/api/leads/bulk-update", Summary: "Set the status of several leads",
		Description: "Leads that do not exist are named in errors; the others are changed, all at once.",
		Tags:        []string{"Leads"}, Security: adminSecurity, Errors: []int{401},
	}, s.bulkUpdate)
}

// addLeadCreation registers the one operation on leads that is public.
func (s *Server) addLeadCreation() {
	op := addJSON[leadBody](s, huma.Operation{
		OperationID: "lead-create", Method: http.MethodPost, Path: "/api/leads/", Summary: "Leave contact data",
		Description: "Public and limited. The lead and its alerts are stored when this answers. The first field that is " +
			"missing or invalid is named in error. With and without the slash at the end.",
		Tags: []string{"Leads"}, DefaultStatus: http.StatusCreated,
		Parameters: []*huma.Param{onceParam()}, Errors: []int{404, 409, 422},
		Metadata: underLimits(limitAPI, limitLeads),
	}, s.createLead)
	documentHeader(op, "201", replayHeader, "true: this is the answer of an earlier request with the same Idempotency-Key")
}

func (s *Server) createLead(ctx context.Context, in *jsonBody) (*leadOutput, error) {
	l, consent, err := decodeLead(in.RawBody)
	if err != nil {
		return nil, err
	}
	x := exchangeOf(ctx)
	once, err := s.onceKey(x, "lead", func() string { return s.clientScope(x) }, l.Name, l.Email, l.Phone, l.Message,
		said(consent.Marketing), said(consent.RODO))
	if err != nil {
		return nil, err
	}
	consent.Origin, consent.Locale = s.origin(x.request, ""), pageLanguage(x.request)
	stored, replayed, err := s.opts.CreateLeadFunc(ctx, l, once, consent)
	if err != nil {
		return nil, noSuchLead(err)
	}
	if replayed {
		// The answer of then; what has become of the lead since is its own story.
		stored.Status, stored.MondayItemID = chatops.LeadNew, ""
		x.replayed()
	}
	return &leadOutput{Body: showLead(stored)}, nil
}

// leadID reads the path. Whatever no lead can have is not found, in one way.
func leadID(text string) (int64, error) {
	id, ok := parseID(text)
	if !ok || id == unknownID || strconv.FormatInt(id, 10) != text {
		return 0, chatops.Errorf(chatops.CodeNotFound, errNoSuchLead)
	}
	return id, nil
}

// noSuchLead gives "not found" the text that clients know.
func noSuchLead(err error) error {
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		return chatops.WrapError(chatops.CodeNotFound, err, errNoSuchLead)
	}
	return err
}

func (s *Server) lead(ctx context.Context, in *leadIDInput) (*leadOutput, error) {
	id, err := leadID(in.ID)
	if err != nil {
		return nil, err
	}
	l, err := s.opts.Leads.Lead(ctx, id)
	if err != nil {
		return nil, noSuchLead(err)
	}
	return &leadOutput{Body: showLead(l)}, nil
}

func (s *Server) updateLead(ctx context.Context, in *leadIDBody) (*leadOutput, error) {
	id, err := leadID(in.ID)
	if err != nil {
		return nil, err
	}
	change, err := decodeLeadChange(in.RawBody)
	if err != nil {
		return nil, err
	}
	_, after, err := s.opts.Leads.UpdateLead(ctx, id, change)
	if err != nil {
		return nil, noSuchLead(err)
	}
	return &leadOutput{Body: showLead(after)}, nil
}

func (s *Server) patchStatus(ctx context.Context, in *leadIDBody) (*statusOutput, error) {
	id, err := leadID(in.ID)
	if err != nil {
		return nil, err
	}
	o, err := decodeObject(in.RawBody, badStatus().Error())
	if err != nil {
		return nil, err
	}
	status, err := o.leadStatus()
	if err != nil {
		return nil, err
	}
	before, after, err := s.opts.Leads.UpdateLead(ctx, id, chatops.LeadChange{Status: &status})
	if err != nil {
		return nil, noSuchLead(err)
	}
	return &statusOutput{Body: statusChange{
		ID: id, OldStatus: string(before.Status), NewStatus: string(after.Status), MondaySynced: after.MondayItemID != "",
	}}, nil
}

func (s *Server) bulkUpdate(ctx context.Context, in *jsonBody) (*bulkOutput, error) {
	ids, status, err := decodeBulk(in.RawBody)
	if err != nil {
		return nil, err
	}
	changed, missing, err := s.opts.Leads.SetLeadStatus(ctx, ids, status)
	if err != nil {
		return nil, err
	}
	out := &bulkOutput{Body: bulkResult{Success: true, Updated: changed}}
	for _, id := range missing {
		text := fmt.Sprintf("Lead %d not found", id)
		if id == unknownID {
			text = "No lead has such a number"
		}
		out.Body.Errors = append(out.Body.Errors, text)
	}
	return out, nil
}
