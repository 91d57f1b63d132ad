package asl

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check returns what is wrong with a machine that Parse lets through but that
// would not stand in production, sorted; nothing for a sound one:
// states that nothing leads to, tasks without Retry, Catch or timeout, errors
// that nothing catches, retries that cover permanent errors, choices without a
// default, and Maps whose children say more than nothing.
func Check(m *Machine) []string { return check(m, "") }

func check(m *Machine, prefix string) []string {
	var found []string
	add := func(name, format string, args ...any) {
		found = append(found, prefix+name+": "+fmt.Sprintf(format, args...))
	}
	reached := m.reachable()
	for _, name := range slices.Sorted(maps.Keys(m.States)) {
		s := m.States[name]
		if !reached[name] {
			add(name, "is never reached")
		}
		for _, finding := range s.check() {
			add(name, "%s", finding)
		}
		if s.ItemProcessor != nil {
			found = append(found, check(s.ItemProcessor, prefix+name+"/")...)
			for _, end := range s.ItemProcessor.talkative() {
				found = append(found, prefix+name+"/"+end+": ends with its whole input as the output, "+
					"and all outputs together may not pass 256 KB")
			}
		}
	}
	slices.Sort(found)
	return found
}

func (m *Machine) reachable() map[string]bool {
	reached := map[string]bool{}
	for todo := []string{m.StartAt}; len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		if !reached[name] && m.States[name] != nil {
			reached[name] = true
			todo = append(todo, m.States[name].targets()...)
		}
	}
	return reached
}

func (s *State) check() []string {
	var found []string
	switch s.Type {
	case "Choice":
		if s.Default == "" {
			found = append(found, "has no Default, and no Catch can see that")
		}
	case "Map":
		if s.MaxConcurrency == 0 {
			found = append(found, "has no MaxConcurrency")
		}
		found = append(found, s.checkCatch()...)
	case "Task":
		if s.TimeoutSeconds == 0 {
			found = append(found, "has no TimeoutSeconds")
		}
		if len(s.Retry) == 0 {
			found = append(found, "has no Retry")
		}
		found = append(found, s.checkCatch()...)
	}
	for _, r := range s.Retry {
		for _, wide := range []string{"States.ALL", "States.TaskFailed"} {
			if slices.Contains(r.ErrorEquals, wide) {
				found = append(found, "tries "+wide+" again, which covers permanent errors")
			}
		}
	}
	return found
}

func (s *State) checkCatch() []string {
	var found []string
	if !slices.ContainsFunc(s.Catch, func(c Catcher) bool { return slices.Contains(c.ErrorEquals, "States.ALL") }) {
		found = append(found, "has no Catch of States.ALL")
	}
	for _, c := range s.Catch {
		if c.ResultPath.path() == "$" && !c.ResultPath.Null {
			found = append(found, "has a Catch that throws the input away")
		}
	}
	return found
}

// talkative are the states at which a Map's child ends with all that it holds as
// its output.
func (m *Machine) talkative() []string {
	var found []string
	for name, s := range m.States {
		switch {
		case s.Type == "Succeed" && !s.OutputPath.Set,
			s.End && s.ResultPath.path() != "$",
			s.End && s.Type == "Wait" && !s.OutputPath.Set,
			s.End && s.Type == "Pass" && s.Result == nil && s.Parameters == nil:
			found = append(found, name)
		}
	}
	return found
}

// Errors are the names in every Retry and Catch of the machine, sorted, each
// once.
func Errors(m *Machine) []string {
	found := map[string]bool{}
	walk(m, func(_ string, s *State) {
		for _, r := range s.Retry {
			for _, e := range r.ErrorEquals {
				found[e] = true
			}
		}
		for _, c := range s.Catch {
			for _, e := range c.ErrorEquals {
				found[e] = true
			}
		}
	})
	return slices.Sorted(maps.Keys(found))
}

// Payload is what a Task gives to its function and takes from the answer.
type Payload struct {
	State    string // with the Map it is in: Plan/Plan
	Function string // after the substitutions
	// Fields are the names of the payload's fields, sorted.
	Fields []string
	// Selected are the paths into the answer that ResultSelector takes, such as
	// "$.Payload.next": each must always be there.
	Selected []string
}

// Payloads lists every Task that invokes a function, sorted by state.
func Payloads(m *Machine) []Payload {
	var out []Payload
	walk(m, func(name string, s *State) {
		if s.Resource != invoke && s.Resource != invokeTok {
			return
		}
		var p struct {
			FunctionName string
			Payload      map[string]json.RawMessage
		}
		if json.Unmarshal(s.Parameters, &p) != nil {
			return
		}
		payload := Payload{State: name, Function: p.FunctionName}
		for _, field := range slices.Sorted(maps.Keys(p.Payload)) {
			payload.Fields = append(payload.Fields, strings.TrimSuffix(field, ".$"))
		}
		var selector map[string]json.RawMessage
		if json.Unmarshal(s.ResultSelector, &selector) == nil {
			for _, field := range slices.Sorted(maps.Keys(selector)) {
				var path string
				if strings.HasSuffix(field, ".$") && json.Unmarshal(selector[field], &path) == nil {
					payload.Selected = append(payload.Selected, path)
				}
			}
		}
		out = append(out, payload)
	})
	slices.SortFunc(out, func(a, b Payload) int { return strings.Compare(a.State, b.State) })
	return out
}

// walk calls visit for every state, those of Maps too, under their full names.
func walk(m *Machine, visit func(name string, s *State)) {
	for name, s := range m.States {
		visit(name, s)
		if s.ItemProcessor != nil {
			walk(s.ItemProcessor, func(inner string, s *State) { visit(name+"/"+inner, s) })
		}
	}
}
