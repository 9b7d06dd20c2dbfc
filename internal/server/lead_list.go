package server

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

type (
	leadPageOutput struct{ Body leadPage }
	leadPage       struct {
		Leads      []*leadJSON `json:"leads" nullable:"false"`
		Pagination pagination  `json:"pagination"`
	}
	pagination struct {
		Page    int   `json:"page"`
		PerPage int   `json:"per_page"`
		Total   int64 `json:"total" doc:"Leads that match"`
		Pages   int64 `json:"pages"`
	}
)

func (s *Server) addLeadLists() {
	schema := huma.SchemaFromType(s.api.OpenAPI().Components.Schemas, reflect.TypeFor[*leadJSON]())
	addOperation(s, huma.Operation{
		OperationID: "leads", Method: http.MethodGet, Path: "/api/leads/", Summary: "All leads, the newest first",
		Description: "With and without the slash at the end. Sent while it is read; for a part of them see /api/leads/filter.",
		Tags:        []string{"Leads"}, Security: adminSecurity, Errors: []int{401},
		Responses: streamed("application/json", &huma.Schema{Type: huma.TypeArray, Items: schema}),
	}, s.allLeads)
	addOperation(s, huma.Operation{
		OperationID: "lead-filter", Method: http.MethodGet, Path: "/api/leads/filter", Summary: "A page of the leads that match",
		Tags: []string{"Leads"}, Security: adminSecurity, Errors: []int{400, 401},
		Parameters: append(filterParams(), pageParams()...),
	}, s.filterLeads)
	addOperation(s, huma.Operation{
		OperationID: "lead-export", Method: http.MethodGet, Path: "/api/leads/export", Summary: "Leads as CSV",
		Description: "All of them, or those that match. Cells that a spreadsheet would take for a formula begin with an apostrophe.",
		Tags:        []string{"Leads"}, Security: adminSecurity, Errors: []int{400, 401},
		Parameters: append(filterParams(), queryParam("excel", "1: with a byte order mark and semicolons, as Excel in Polish opens it")),
		Responses:  streamed(csvType, &huma.Schema{Type: huma.TypeString}),
	}, s.exportLeads)
}

// streamed documents the response of an operation that writes its body itself.
func streamed(media string, schema *huma.Schema) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{media: {Schema: schema}},
	}}
}

func (s *Server) allLeads(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(huma.Context) {
		s.stream(ctx, func(h http.Header) { h["Content-Type"] = jsonType }, func(w io.Writer) error {
			return s.writeLeads(ctx, w)
		})
	}}, nil
}

// writeLeads writes the array one lead at a time.
func (s *Server) writeLeads(ctx context.Context, w io.Writer) error {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false) // as the other answers are written
	before := []byte("[")
	err := s.opts.Leads.EachLead(ctx, chatops.LeadFilter{}, func(l *chatops.Lead) error {
		line.Reset()
		line.Write(before)
		before = []byte(",")
		if err := enc.Encode(showLead(l)); err != nil {
			return err
		}
		_, err := w.Write(line.Bytes())
		return err
	})
	if err != nil {
		return err
	}
	if before[0] == '[' {
		_, err = io.WriteString(w, "[]\n")
	} else {
		_, err = io.WriteString(w, "]\n")
	}
	return err
}

func (s *Server) filterLeads(ctx context.Context, _ *struct{}) (*leadPageOutput, error) {
	query := exchangeOf(ctx).request.URL.Query()
	filter, err := parseFilter(query)
	if err != nil {
		return nil, err
	}
	page, perPage, err := parsePage(query)
	if err != nil {
		return nil, err
	}
	list, total, err := s.opts.Leads.Leads(ctx, filter, (page-1)*perPage, perPage)
	if err != nil {
		return nil, err
	}
	out := &leadPageOutput{Body: leadPage{
		Leads:      make([]*leadJSON, len(list)),
		Pagination: pagination{Page: page, PerPage: perPage, Total: total, Pages: (total + int64(perPage) - 1) / int64(perPage)},
	}}
	for i := range list {
		out.Body.Leads[i] = showLead(&list[i])
	}
	return out, nil
}

const csvType = "text/csv; charset=utf-8"

var csvHeader = []string{"ID", "Data", "Imię", "Email", "Telefon", "Wiadomość", "Status", "Monday.com ID"}

func (s *Server) exportLeads(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	query := exchangeOf(ctx).request.URL.Query()
	filter, err := parseFilter(query)
	if err != nil {
		return nil, err
	}
	excel := query.Get("excel")
	if excel != "" && excel != "0" && excel != "1" {
		return nil, chatops.Errorf(chatops.CodeInvalid, "Invalid excel: must be 0 or 1")
	}
	name := "leads_" + s.opts.Now().UTC().Format("20060102_150405") + ".csv"
	return &huma.StreamResponse{Body: func(huma.Context) {
		s.stream(ctx, func(h http.Header) {
			h.Set("Content-Type", csvType)
			h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
		}, func(w io.Writer) error {
			return s.writeCSV(ctx, w, filter, excel == "1")
		})
	}}, nil
}

func (s *Server) writeCSV(ctx context.Context, w io.Writer, filter chatops.LeadFilter, excel bool) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	if excel {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
		out.Comma = ';'
	}
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	err := s.opts.Leads.EachLead(ctx, filter, func(l *chatops.Lead) error {
		return out.Write([]string{
			strconv.FormatInt(l.ID, 10), l.CreatedAt.UTC().Format("2006-01-02 15:04:05"),
			defuse(l.Name), defuse(l.Email), defuse(l.Phone), defuse(l.Message), string(l.Status), defuse(l.MondayItemID),
		})
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// defuse puts an apostrophe before text that a spreadsheet would take for a
// formula, in full-width signs as well.
func defuse(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}
