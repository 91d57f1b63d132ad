// Package asl runs state machines of the Amazon States Language in this process,
// with handlers in place of Lambda functions and an object.Store in place of S3,
// so that the machines that are deployed can be tested by the thousand.
//
// It knows the part of the language that Dropload's machines use, with JSONPath:
// Task (Lambda, also with a task token; EventBridge's putEvents), Choice, Pass,
// Wait, Succeed, Fail, and Map in distributed mode over a JSON array in S3. Parse
// refuses everything else, misspelt fields included. Where AWS and the local
// engines differ it does as AWS documents: a path that finds nothing fails the
// execution, payloads have a limit, so has the history.
//
// The language: https://states-language.net/spec.html and the AWS Step Functions
// Developer Guide.
package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Machine is a state machine, or the processor of a Map.
type Machine struct {
	Comment         string           `json:",omitempty"`
	QueryLanguage   string           `json:",omitempty"`
	ProcessorConfig *ProcessorConfig `json:",omitempty"` // of a Map's processor only
	TimeoutSeconds  int              `json:",omitempty"`
	StartAt         string
	States          map[string]*State
}

// ProcessorConfig says how a Map runs its children.
type ProcessorConfig struct{ Mode, ExecutionType string }

// State is one state with the fields of every type; Parse sees to it that only
// those of its own are set.
type State struct {
	Type          string
	Comment       string `json:",omitempty"`
	QueryLanguage string `json:",omitempty"`
	Next          string `json:",omitempty"`
	End           bool   `json:",omitempty"`

	InputPath      nullable        `json:",omitzero"`
	Parameters     json.RawMessage `json:",omitempty"`
	ResultSelector json.RawMessage `json:",omitempty"`
	ResultPath     nullable        `json:",omitzero"`
	OutputPath     nullable        `json:",omitzero"`

	Resource       string    `json:",omitempty"` // Task
	TimeoutSeconds int       `json:",omitempty"` // Task
	Retry          []Retrier `json:",omitempty"` // Task, Map
	Catch          []Catcher `json:",omitempty"` // Task, Map

	Choices []*Rule `json:",omitempty"` // Choice
	Default string  `json:",omitempty"` // Choice

	Result json.RawMessage `json:",omitempty"` // Pass

	Seconds       *float64 `json:",omitempty"` // Wait
	SecondsPath   string   `json:",omitempty"` // Wait
	Timestamp     string   `json:",omitempty"` // Wait
	TimestampPath string   `json:",omitempty"` // Wait

	Error     string `json:",omitempty"` // Fail
	ErrorPath string `json:",omitempty"` // Fail
	Cause     string `json:",omitempty"` // Fail
	CausePath string `json:",omitempty"` // Fail

	Label          string          `json:",omitempty"` // Map
	MaxConcurrency int             `json:",omitempty"` // Map
	ItemReader     *ItemReader     `json:",omitempty"` // Map
	ItemSelector   json.RawMessage `json:",omitempty"` // Map
	ItemProcessor  *Machine        `json:",omitempty"` // Map
}

// ItemReader says where a Map finds its items.
type ItemReader struct {
	Resource     string
	ReaderConfig struct{ InputType string }
	Parameters   json.RawMessage
}

// Retrier says which errors are tried again and how.
type Retrier struct {
	ErrorEquals     []string
	IntervalSeconds *int     `json:",omitempty"` // 1
	MaxAttempts     *int     `json:",omitempty"` // 3
	BackoffRate     *float64 `json:",omitempty"` // 2
	MaxDelaySeconds *int     `json:",omitempty"`
	JitterStrategy  string   `json:",omitempty"`
	Comment         string   `json:",omitempty"`
}

// Catcher says where the execution goes on after an error.
type Catcher struct {
	ErrorEquals []string
	ResultPath  nullable `json:",omitzero"`
	Next        string
	Comment     string `json:",omitempty"`
}

// nullable is a path that may be left out ("$"), or null.
type nullable struct {
	Set  bool
	Null bool
	Path string
}

// UnmarshalJSON tells null from a path.
func (n *nullable) UnmarshalJSON(b []byte) error {
	n.Set = true
	if string(b) == "null" {
		n.Null = true
		return nil
	}
	return json.Unmarshal(b, &n.Path)
}

// path is the path, "$" where it was left out.
func (n nullable) path() string {
	if !n.Set {
		return "$"
	}
	return n.Path
}

// Placeholders returns the names of a definition's substitutions, sorted.
func Placeholders(definition []byte) []string {
	found := map[string]bool{}
	for _, m := range placeholder().FindAllSubmatch(definition, -1) {
		found[string(m[1])] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func placeholder() *regexp.Regexp { return regexp.MustCompile(`\$\{([^}]*)\}`) }

// Parse reads a definition whose ${…} are replaced by the substitutions' texts.
// It refuses a placeholder without a substitution, and what the package does not
// know.
func Parse(definition []byte, substitutions map[string]string) (*Machine, error) {
	var missing []string
	text := placeholder().ReplaceAllFunc(definition, func(m []byte) []byte {
		name := string(m[2 : len(m)-1])
		value, ok := substitutions[name]
		if !ok {
			missing = append(missing, name)
		}
		quoted, err := json.Marshal(value)
		if err != nil {
			missing = append(missing, name)
			return nil
		}
		return quoted[1 : len(quoted)-1]
	})
	if len(missing) > 0 {
		return nil, fmt.Errorf("asl: no substitution for %s", strings.Join(missing, ", "))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	m := &Machine{}
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("asl: %w", err)
	}
	if m.ProcessorConfig != nil {
		return nil, fmt.Errorf("asl: only a Map's processor has a ProcessorConfig")
	}
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("asl: %w", err)
	}
	return m, nil
}

func (m *Machine) validate() error {
	if m.QueryLanguage != "" && m.QueryLanguage != "JSONPath" {
		return fmt.Errorf("query language %s is not known", m.QueryLanguage)
	}
	if m.States[m.StartAt] == nil {
		return fmt.Errorf("StartAt: no state %q", m.StartAt)
	}
	for _, name := range slices.Sorted(maps.Keys(m.States)) {
		s := m.States[name]
		if s == nil {
			return fmt.Errorf("state %s is null", name)
		}
		if err := s.validate(); err != nil {
			return fmt.Errorf("state %s: %w", name, err)
		}
		for _, to := range s.targets() {
			if m.States[to] == nil {
				return fmt.Errorf("state %s: no state %q to go to", name, to)
			}
		}
	}
	return nil
}

// targets are the states that may come next.
func (s *State) targets() []string {
	var out []string
	if s.Next != "" {
		out = append(out, s.Next)
	}
	for _, r := range s.Choices {
		out = append(out, r.Next)
	}
	if s.Default != "" {
		out = append(out, s.Default)
	}
	for _, c := range s.Catch {
		out = append(out, c.Next)
	}
	return out
}

// The resources of a Task.
const (
	invoke    = "arn:aws:states:::lambda:invoke"
	invokeTok = "arn:aws:states:::lambda:invoke.waitForTaskToken"
	putEvents = "arn:aws:states:::events:putEvents"
	getObject = "arn:aws:states:::s3:getObject"
)

func (s *State) validate() error {
	if s.QueryLanguage != "" && s.QueryLanguage != "JSONPath" {
		return fmt.Errorf("query language %s is not known", s.QueryLanguage)
	}
	if err := s.allowed(); err != nil {
		return err
	}
	switch s.Type {
	case "Choice", "Succeed", "Fail":
	default:
		if (s.Next != "") == s.End {
			return fmt.Errorf("either Next or End")
		}
	}
	if err := s.validatePaths(); err != nil {
		return err
	}
	for i, r := range s.Retry {
		if len(r.ErrorEquals) == 0 {
			return fmt.Errorf("a Retry without ErrorEquals")
		}
		if err := aloneAndLast(r.ErrorEquals, i == len(s.Retry)-1); err != nil {
			return err
		}
	}
	for i, c := range s.Catch {
		if len(c.ErrorEquals) == 0 || c.Next == "" {
			return fmt.Errorf("a Catch needs ErrorEquals and Next")
		}
		if err := aloneAndLast(c.ErrorEquals, i == len(s.Catch)-1); err != nil {
			return err
		}
	}
	return s.validateType()
}

// aloneAndLast wants States.ALL to stand alone and in the last entry.
func aloneAndLast(names []string, last bool) error {
	if slices.Contains(names, "States.ALL") && (len(names) > 1 || !last) {
		return fmt.Errorf("States.ALL stands alone and last")
	}
	return nil
}

func (s *State) validateType() error {
	switch s.Type {
	case "Task":
		switch s.Resource {
		case invoke, invokeTok, putEvents:
		default:
			return fmt.Errorf("resource %q is not known", s.Resource)
		}
		if s.Parameters == nil {
			return fmt.Errorf("a Task without Parameters")
		}
	case "Choice":
		if len(s.Choices) == 0 {
			return fmt.Errorf("a Choice without Choices")
		}
		for i, r := range s.Choices {
			if r.Next == "" {
				return fmt.Errorf("rule %d has no Next", i)
			}
			if err := r.validate(true); err != nil {
				return fmt.Errorf("rule %d: %w", i, err)
			}
		}
	case "Wait":
		ways := 0
		for _, set := range []bool{s.Seconds != nil, s.SecondsPath != "", s.Timestamp != "", s.TimestampPath != ""} {
			if set {
				ways++
			}
		}
		if ways != 1 {
			return fmt.Errorf("a Wait has one of Seconds, SecondsPath, Timestamp, TimestampPath")
		}
	case "Map":
		return s.validateMap()
	}
	return nil
}

func (s *State) validateMap() error {
	p := s.ItemProcessor
	switch {
	case p == nil || p.ProcessorConfig == nil || p.ProcessorConfig.Mode != "DISTRIBUTED":
		return fmt.Errorf("only a Map in DISTRIBUTED mode is known")
	case p.ProcessorConfig.ExecutionType != "STANDARD" && p.ProcessorConfig.ExecutionType != "EXPRESS":
		return fmt.Errorf("execution type %q is not known", p.ProcessorConfig.ExecutionType)
	case s.ItemReader == nil || s.ItemReader.Resource != getObject || s.ItemReader.ReaderConfig.InputType != "JSON":
		return fmt.Errorf("a Map reads its items from a JSON object by %s", getObject)
	}
	if err := p.validate(); err != nil {
		return fmt.Errorf("ItemProcessor: %w", err)
	}
	return nil
}

// allowed refuses the fields of other types.
func (s *State) allowed() error {
	set := map[string]bool{
		"Next": s.Next != "", "End": s.End, "InputPath": s.InputPath.Set, "Parameters": s.Parameters != nil,
		"ResultSelector": s.ResultSelector != nil, "ResultPath": s.ResultPath.Set, "OutputPath": s.OutputPath.Set,
		"Resource": s.Resource != "", "TimeoutSeconds": s.TimeoutSeconds != 0, "Retry": s.Retry != nil, "Catch": s.Catch != nil,
		"Choices": s.Choices != nil, "Default": s.Default != "", "Result": s.Result != nil,
		"Seconds": s.Seconds != nil, "SecondsPath": s.SecondsPath != "", "Timestamp": s.Timestamp != "", "TimestampPath": s.TimestampPath != "",
		"Error": s.Error != "", "ErrorPath": s.ErrorPath != "", "Cause": s.Cause != "", "CausePath": s.CausePath != "",
		"Label": s.Label != "", "MaxConcurrency": s.MaxConcurrency != 0, "ItemReader": s.ItemReader != nil,
		"ItemSelector": s.ItemSelector != nil, "ItemProcessor": s.ItemProcessor != nil,
	}
	fields, known := map[string]string{
		"Task":    "Next End InputPath Parameters ResultSelector ResultPath OutputPath Resource TimeoutSeconds Retry Catch",
		"Map":     "Next End InputPath ResultSelector ResultPath OutputPath Retry Catch Label MaxConcurrency ItemReader ItemSelector ItemProcessor",
		"Pass":    "Next End InputPath Parameters ResultPath OutputPath Result",
		"Choice":  "InputPath OutputPath Choices Default",
		"Wait":    "Next End InputPath OutputPath Seconds SecondsPath Timestamp TimestampPath",
		"Succeed": "InputPath OutputPath",
		"Fail":    "Error ErrorPath Cause CausePath",
	}[s.Type]
	if !known {
		return fmt.Errorf("type %q is not known", s.Type)
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if set[name] && !slices.Contains(strings.Fields(fields), name) {
			return fmt.Errorf("a %s has no %s", s.Type, name)
		}
	}
	return nil
}

// validatePaths compiles every path and template once, so that only what
// depends on the data can fail later.
func (s *State) validatePaths() error {
	for name, p := range map[string]nullable{"InputPath": s.InputPath, "OutputPath": s.OutputPath, "ResultPath": s.ResultPath} {
		if p.Null {
			continue
		}
		if _, err := parsePath(p.path()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if strings.HasPrefix(s.ResultPath.path(), "$$") {
		return fmt.Errorf("ResultPath: cannot be in the context")
	}
	for _, c := range s.Catch {
		if _, err := parsePath(c.ResultPath.path()); !c.ResultPath.Null && err != nil {
			return fmt.Errorf("its Catch: %w", err)
		}
	}
	for name, p := range map[string]string{"SecondsPath": s.SecondsPath, "TimestampPath": s.TimestampPath, "ErrorPath": s.ErrorPath, "CausePath": s.CausePath} {
		if p == "" {
			continue
		}
		if _, err := parsePath(p); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	templates := map[string]json.RawMessage{"Parameters": s.Parameters, "ResultSelector": s.ResultSelector, "ItemSelector": s.ItemSelector}
	if s.ItemReader != nil {
		templates["ItemReader"] = s.ItemReader.Parameters
	}
	for name, t := range templates {
		if t == nil {
			continue
		}
		if err := checkTemplate(t); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
