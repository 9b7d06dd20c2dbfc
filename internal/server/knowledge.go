package server

import (
	"context"
	"net/http"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

// Knowledge is what the public may read of the knowledge base, in a language:
// "pl" or "en".
type Knowledge interface {
	// Packages lists what is sold, in the order of the price list.
	Packages(lang string) []KnowledgePackage
	// FAQ returns the answers by the name of their topic.
	FAQ(lang string) map[string]string
}

// KnowledgePackage is a package of the price list.
type KnowledgePackage struct {
	ID          string `json:"id" doc:"Stays the same in all languages"`
	Name        string `json:"name"`
	PricePerSqm *int   `json:"price_per_sqm" doc:"Whole PLN, gross; null: by estimate"`
	Standard    string `json:"standard" doc:"What it is"`
	IdealFor    string `json:"ideal_for" doc:"Whom it suits"`
}

type (
	packagesOutput struct {
		Body []KnowledgePackage `nullable:"false"`
	}
	faqOutput struct{ Body map[string]string }
)

func (s *Server) addKnowledge() {
	lang := []*huma.Param{queryParam("lang", "pl or en; else what Accept-Language prefers, and Polish where that says nothing")}
	addOperation(s, huma.Operation{
		OperationID: "knowledge-packages", Method: http.MethodGet, Path: "/api/knowledge/packages", Summary: "The packages and their prices",
		Tags: []string{"Knowledge"}, Parameters: lang, Errors: []int{400},
	}, func(ctx context.Context, _ *struct{}) (*packagesOutput, error) {
		l, err := knowledgeLanguage(exchangeOf(ctx))
		if err != nil {
			return nil, err
		}
		return &packagesOutput{Body: append([]KnowledgePackage{}, s.opts.Knowledge.Packages(l)...)}, nil
	})
	addOperation(s, huma.Operation{
		OperationID: "knowledge-faq", Method: http.MethodGet, Path: "/api/knowledge/faq", Summary: "Answers by topic",
		Tags: []string{"Knowledge"}, Parameters: lang, Errors: []int{400},
	}, func(ctx context.Context, _ *struct{}) (*faqOutput, error) {
		l, err := knowledgeLanguage(exchangeOf(ctx))
		if err != nil {
			return nil, err
		}
		answers := s.opts.Knowledge.FAQ(l)
		if answers == nil {
			answers = map[string]string{}
		}
		return &faqOutput{Body: answers}, nil
	})
}

// knowledgeLanguage is the language that a request asks for. The answer says
// what it depends on.
func knowledgeLanguage(x *exchange) (string, error) {
	switch x.request.URL.Query().Get("lang") {
	case "", "pl", "en":
	default:
		return "", chatops.Errorf(chatops.CodeInvalid, "Invalid lang. Must be one of: pl, en")
	}
	lang := pageLanguage(x.request)
	x.Header().Add("Vary", "Accept-Language")
	x.Header().Set("Content-Language", lang)
	return lang, nil
}
