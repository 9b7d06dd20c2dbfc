package main

import (
	"strings"

	"chatops/internal/chat"
	"chatops/internal/server"
)

// publicKnowledge shows the knowledge base the way older clients read it.
type publicKnowledge struct{ k *chat.Knowledge }

func (p publicKnowledge) Packages(lang string) []server.KnowledgePackage {
	list := make([]server.KnowledgePackage, len(p.k.Packages))
	for i := range p.k.Packages {
		one := &p.k.Packages[i]
		text := one.Text(chat.Lang(lang))
		list[i] = server.KnowledgePackage{
			ID:       strings.ReplaceAll(strings.ToLower(one.Name), " ", "_"),
			Name:     one.Name,
			Standard: text.Summary,
			IdealFor: text.IdealFor,
		}
		if !one.ByEstimate {
			list[i].PricePerSqm = &one.PricePerM2
		}
	}
	return list
}

func (p publicKnowledge) FAQ(lang string) map[string]string {
	faq := map[string]string{}
	for topic, answer := range p.k.FAQ(chat.Lang(lang)) {
		faq[string(topic)] = answer
	}
	return faq
}
