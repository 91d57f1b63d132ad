// Package infra_test checks the template against the code that it deploys.
// `sam validate --lint` knows the format; these tests know the project: what
// must be in it, and what must never be.
package infra_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const root = ".."

func TestFunctionsAndFoldersAreOneToOne(t *testing.T) {
	t.Parallel()
	want := map[string]string{}
	for _, folder := range glob(t, "functions/*/main.go") {
		name := filepath.Base(filepath.Dir(folder))
		want[strings.ToUpper(name[:1])+name[1:]+"Function"] = "functions/" + name
	}
	got := map[string]string{}
	for id, f := range ofType(t, "AWS::Serverless::Function") {
		got[id] = f.at("Properties", "CodeUri").text()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("functions and folders differ (-folders +template):\n%s", diff)
	}
}

func TestEveryFunctionIsBuiltBoundedAndLogged(t *testing.T) {
	t.Parallel()
	global := load(t).at("Globals", "Function")
	for _, property := range []string{"Runtime", "Architectures", "MemorySize", "Timeout", "Tracing", "LoggingConfig"} {
		if !global.has(property) {
			t.Errorf("Globals lack %s", property)
		}
	}
	group := global.at("LoggingConfig", "LogGroup").text()
	if !load(t).at("Resources", group, "Properties").has("RetentionInDays") {
		t.Errorf("the functions' log group %q keeps everything for ever", group)
	}
	for id, f := range ofType(t, "AWS::Serverless::Function") {
		p := f.at("Properties")
		// go1.x builds the folder that CodeUri names; nothing else may be built.
		if got := f.at("Metadata", "BuildMethod").text(); got != "go1.x" {
			t.Errorf("%s: build method %q", id, got)
		}
		if p.at("Description").text() == "" {
			t.Errorf("%s: no description", id)
		}
		// A role of its own is what SAM makes of Policies.
		if p.has("Role") || len(p.at("Policies").items()) == 0 {
			t.Errorf("%s: wants policies of its own and no shared role", id)
		}
		for _, property := range []string{"LoggingConfig", "Architectures", "Runtime"} {
			if p.has(property) {
				t.Errorf("%s: %s is the same for all functions", id, property)
			}
		}
	}
}

func TestGrantsAreNarrow(t *testing.T) {
	t.Parallel()
	statements := 0
	load(t).walk("", func(path string, n node) {
		if !n.has("Effect") || !n.has("Action") {
			return
		}
		statements++
		if n.at("Effect").text() != "Allow" {
			return
		}
		for _, action := range n.at("Action").list() {
			if strings.Contains(action.text(), "*") {
				t.Errorf("%s: allows %q; name the actions", path, action.text())
			}
		}
		for _, resource := range n.at("Resource").list() {
			if resource.text() == "*" && !strings.Contains(resource.LineComment, "reason:") {
				t.Errorf("%s: allows every resource without a `# reason:`", path)
			}
		}
		if got := n.at("Principal").text(); got == "*" {
			t.Errorf("%s: allows everybody", path)
		}
	})
	if statements < 10 {
		t.Errorf("found %d statements: is this still how policies are written?", statements)
	}
}

func TestNothingHasAFixedName(t *testing.T) {
	t.Parallel()
	names := []string{"BucketName", "TableName", "FunctionName", "QueueName", "LogGroupName", "Name", "RoleName",
		"ManagedPolicyName", "RuleName", "TopicName", "StateMachineName", "Alias"}
	for id, r := range load(t).at("Resources").entries() {
		if r.at("Type").text() == "AWS::Lambda::EventSourceMapping" {
			continue // it has no name; its FunctionName is the one that it calls
		}
		for _, name := range names {
			if p := r.at("Properties", name); p.Node != nil && !strings.Contains(p.text(), "${AWS::StackName}") {
				t.Errorf("%s: %s is %q, so two stacks collide", id, name, p.text())
			}
		}
	}
}

func TestStateMachinesGetWhatTheyNameAndMayCallIt(t *testing.T) {
	t.Parallel()
	machines := map[string]bool{}
	for id, m := range ofType(t, "AWS::Serverless::StateMachine") {
		p := m.at("Properties")
		definition := p.at("DefinitionUri").text()
		machines[definition] = true
		b, err := os.ReadFile(filepath.Join(root, definition))
		if err != nil {
			t.Fatal(err)
		}
		var used, given, called, allowed []string
		for _, match := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(string(b), -1) {
			used = append(used, match[1])
		}
		for name, value := range p.at("DefinitionSubstitutions").entries() {
			given = append(given, name)
			function, isFunction := strings.CutSuffix(name, "Arn")
			if !isFunction {
				continue
			}
			called = append(called, value.text())
			if value.text() != function+".Arn" {
				t.Errorf("%s: %s is %s", id, name, value.text())
			}
		}
		if diff := cmp.Diff(set(used), set(given)); diff != "" {
			t.Errorf("%s: substitutions differ (-%s +template):\n%s", id, definition, diff)
		}
		p.at("Policies").walk("", func(_ string, n node) {
			if n.at("Action").text() == "lambda:InvokeFunction" {
				for _, r := range n.at("Resource").list() {
					allowed = append(allowed, r.text())
				}
			}
		})
		if diff := cmp.Diff(set(called), set(allowed)); diff != "" {
			t.Errorf("%s: functions differ (-called +allowed):\n%s", id, diff)
		}
		if !p.has("Logging") || !p.has("Tracing") {
			t.Errorf("%s: wants logging and tracing", id)
		}
	}
	for _, file := range glob(t, "statemachine/*.asl.json") {
		if !machines["statemachine/"+filepath.Base(file)] {
			t.Errorf("%s is not in the template", file)
		}
	}
}

func TestNoEventIsLost(t *testing.T) {
	t.Parallel()
	events := 0
	for id, r := range load(t).at("Resources").entries() {
		for name, event := range r.at("Properties", "Events").entries() {
			events++
			p := event.at("Properties")
			if !p.has("RetryPolicy") || !p.has("DeadLetterConfig") {
				t.Errorf("%s: event %s wants a retry policy and a dead-letter queue", id, name)
			}
			// One engine starts nothing, in silence, when the event is transformed.
			if p.has("Input") || p.has("InputPath") || p.has("InputTransformer") {
				t.Errorf("%s: event %s must pass the whole event", id, name)
			}
		}
	}
	if events < 2 {
		t.Errorf("found %d events, want those of uploads and of ended executions", events)
	}
}

func TestNoQueuedMessageIsLost(t *testing.T) {
	t.Parallel()
	resources := load(t).at("Resources")
	for id, m := range ofType(t, "AWS::Lambda::EventSourceMapping") {
		p := m.at("Properties")
		queue := resources.at(strings.TrimSuffix(p.at("EventSourceArn").text(), ".Arn"), "Properties")
		if !queue.at("RedrivePolicy").has("deadLetterTargetArn") {
			t.Errorf("%s: its queue wants a dead-letter queue", id)
		}
		function := resources.at(strings.TrimSuffix(p.at("FunctionName").text(), ".Arn"), "Properties")
		timeout, err := strconv.Atoi(function.at("Timeout").text())
		if err != nil {
			t.Fatal(err)
		}
		if visible, err := strconv.Atoi(queue.at("VisibilityTimeout").text()); err != nil || visible < 6*timeout {
			t.Errorf("%s: its queue gives a message out again after %d s, the function runs %d s", id, visible, timeout)
		}
		if got := p.at("FunctionResponseTypes").items(); len(got) != 1 || got[0].text() != "ReportBatchItemFailures" {
			t.Errorf("%s: one message that fails brings the whole batch back", id)
		}
	}
}

func TestBucketIsClosedAndTidy(t *testing.T) {
	t.Parallel()
	p := load(t).at("Resources", "Bucket", "Properties")
	for _, property := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if p.at("PublicAccessBlockConfiguration", property).text() != "true" {
			t.Errorf("%s is off", property)
		}
	}
	if p.at("VersioningConfiguration", "Status").text() != "Enabled" || !p.has("BucketEncryption") {
		t.Error("the bucket wants versions and encryption")
	}
	days := map[string]string{}
	for _, rule := range p.at("LifecycleConfiguration", "Rules").items() {
		days[rule.at("Prefix").text()] = rule.at("ExpirationInDays").text()
		for _, property := range []string{"ExpirationInDays", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"} {
			if !rule.has(property) {
				t.Errorf("rule %s lacks %s", rule.at("Id").text(), property)
			}
		}
	}
	want := map[string]string{"inbox/": "60", "work/": "21", "journals/": "60", "reports/": "180", "exports/": "7"}
	if diff := cmp.Diff(want, days); diff != "" {
		t.Errorf("days kept (-want +got):\n%s", diff)
	}
}

func TestTablesAreSafe(t *testing.T) {
	t.Parallel()
	for id, table := range ofType(t, "AWS::DynamoDB::Table") {
		p := table.at("Properties")
		for property, path := range map[string][]string{
			"on demand":              {"BillingMode", "PAY_PER_REQUEST"},
			"point-in-time recovery": {"PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled", "true"},
			"encryption":             {"SSESpecification", "SSEEnabled", "true"},
			"expiry":                 {"TimeToLiveSpecification", "AttributeName", "exp"},
		} {
			if got := p.at(path[:len(path)-1]...).text(); got != path[len(path)-1] {
				t.Errorf("%s: %s is %q", id, property, got)
			}
		}
		if table.at("UpdateReplacePolicy").text() != "Retain" {
			t.Errorf("%s: an update may throw the data away", id)
		}
	}
}

// node is a value of the template; the zero node is a value that is not there.
type node struct{ *yaml.Node }

func load(t *testing.T) node {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return node{doc.Content[0]}
}

func ofType(t *testing.T, kind string) map[string]node {
	t.Helper()
	found := map[string]node{}
	for id, r := range load(t).at("Resources").entries() {
		if r.at("Type").text() == kind {
			found[id] = r
		}
	}
	if len(found) == 0 {
		t.Fatalf("no %s in the template", kind)
	}
	return found
}

func (n node) entries() map[string]node {
	m := map[string]node{}
	if n.Node == nil || n.Kind != yaml.MappingNode {
		return m
	}
	for i := 0; i < len(n.Content); i += 2 {
		value := n.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		m[n.Content[i].Value] = node{value}
	}
	return m
}

func (n node) at(path ...string) node {
	for _, name := range path {
		n = n.entries()[name]
	}
	return n
}

func (n node) has(name string) bool { return n.at(name).Node != nil }

// text is a scalar's text without its tag: that of `!Ref Bucket` is "Bucket".
func (n node) text() string {
	if n.Node == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

func (n node) items() []node {
	if n.Node == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	var all []node
	for _, item := range n.Content {
		all = append(all, node{item})
	}
	return all
}

// list is the items, or the one value that stands for a list of one.
func (n node) list() []node {
	if n.Node != nil && n.Kind == yaml.ScalarNode {
		return []node{n}
	}
	return n.items()
}

func (n node) walk(path string, visit func(path string, n node)) {
	if n.Node == nil {
		return
	}
	visit(path, n)
	for name, value := range n.entries() {
		value.walk(path+"/"+name, visit)
	}
	for i, item := range n.items() {
		item.walk(fmt.Sprintf("%s/%d", path, i), visit)
	}
}

func set(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is like %s: %v", pattern, err)
	}
	return files
}
