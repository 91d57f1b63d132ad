package asl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/execution"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/object/memory"
	"github.com/dropload/dropload/statemachine/asl"
)

// parse reads a machine whose quotes may be single ones.
func parse(t *testing.T, text string) *asl.Machine {
	t.Helper()
	m, err := asl.Parse([]byte(strings.ReplaceAll(text, "`", `"`)), map[string]string{"Fn": "fn"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// echo answers with its input.
func echo(_ context.Context, _ string, payload []byte) ([]byte, *asl.Error) { return payload, nil }

func start() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func TestRun(t *testing.T) {
	t.Parallel()
	task := func(rest string) string {
		return "{`StartAt`:`A`,`States`:{`A`:{`Type`:`Task`,`Resource`:`arn:aws:states:::lambda:invoke`,`End`:true," + rest + "}}}"
	}
	one := func(state string) string { return "{`StartAt`:`A`,`States`:{`A`:" + state + "}}" }
	choice := func(rule string) string {
		return "{`StartAt`:`A`,`States`:{`A`:{`Type`:`Choice`,`Choices`:[" + rule + "],`Default`:`No`},`Yes`:{`Type`:`Pass`,`Result`:true,`End`:true},`No`:{`Type`:`Pass`,`Result`:false,`End`:true}}}"
	}
	for _, c := range []struct {
		name, machine, input string
		want                 string // the output, or the error's name and a part of its cause
	}{
		{"pass", one("{`Type`:`Pass`,`End`:true}"), `{"a":1.50}`, `{"a":1.50}`},
		{"pass with a result", one("{`Type`:`Pass`,`Result`:[1],`ResultPath`:`$.r.s`,`End`:true}"), `{"a":1}`, `{"a":1,"r":{"s":[1]}}`},
		{"pass with parameters", one("{`Type`:`Pass`,`Parameters`:{`x.$`:`$.a[1]`,`y`:[{`z.$`:`$['b c']`}]},`End`:true}"), `{"a":[1,2],"b c":"d"}`, `{"x":2,"y":[{"z":"d"}]}`},
		{"input and output path", one("{`Type`:`Pass`,`InputPath`:`$.a`,`OutputPath`:`$.b`,`End`:true}"), `{"a":{"b":1}}`, `1`},
		{"null paths", one("{`Type`:`Pass`,`OutputPath`:null,`End`:true}"), `{"a":1}`, `{}`},
		{"result thrown away", task("`Parameters`:{`FunctionName`:`${Fn}`,`Payload`:{}},`ResultPath`:null"), `{"a":1}`, `{"a":1}`},
		{"result path over a scalar", one("{`Type`:`Pass`,`Result`:1,`ResultPath`:`$.a.b`,`End`:true}"), `{"a":1}`, `States.ResultPathMatchFailure $.a.b`},
		{"a path that finds nothing", one("{`Type`:`Pass`,`Parameters`:{`x.$`:`$.none`},`End`:true}"), `{}`, `States.Runtime $.none`},
		{"no wildcard catches that", task("`Parameters`:{`FunctionName`:`fn`,`Payload.$`:`$.none`},`Catch`:[{`ErrorEquals`:[`States.ALL`],`Next`:`A`}]"), `{}`, `States.Runtime $.none`},
		{"invoke", task("`Parameters`:{`FunctionName`:`${Fn}`,`Payload`:{`in.$`:`$`}}"), `{"a":1}`, `{"ExecutedVersion":"$LATEST","Payload":{"in":{"a":1}},"StatusCode":200}`},
		{"result selector", task("`Parameters`:{`FunctionName`:`fn`,`Payload`:{`n`:7}},`ResultSelector`:{`n.$`:`$.Payload.n`},`ResultPath`:`$.r`"), `{"a":1}`, `{"a":1,"r":{"n":7}}`},
		{"a field the function left out", task("`Parameters`:{`FunctionName`:`fn`,`Payload`:{}},`ResultSelector`:{`n.$`:`$.Payload.n`}"), `{}`, `States.Runtime $.Payload.n`},
		{"too much for a function", task("`Parameters`:{`FunctionName`:`fn`,`Payload.$`:`States.Format('{}{}', $.a, $.a)`}"), fmt.Sprintf(`{"a":%q}`, strings.Repeat("x", 200<<10)), `States.DataLimitExceeded fn`},
		{"context", one("{`Type`:`Pass`,`Parameters`:{`n.$`:`$$.Execution.Name`,`i.$`:`$$.Execution.Input.a`,`s.$`:`$$.State.Name`,`t.$`:`$$.State.EnteredTime`},`End`:true}"), `{"a":1}`, `{"i":1,"n":"x","s":"A","t":"2026-01-02T03:04:05.000Z"}`},
		{"format", one("{`Type`:`Pass`,`Parameters`:{`x.$`:`States.Format('{}/{} \\\\{\\\\} it\\\\'s {}', $.a, 5, States.Array($.a, null))`},`End`:true}"), `{"a":"é<"}`, `{"x":"é</5 {} it's [\"é<\",null]"}`},
		{"json and text", one("{`Type`:`Pass`,`Parameters`:{`x.$`:`States.StringToJson($.s)`,`y.$`:`States.JsonToString($.o)`},`End`:true}"), `{"s":"[1]","o":{"a":[]}}`, `{"x":[1],"y":"{\"a\":[]}"}`},
		{"an intrinsic that fails", one("{`Type`:`Pass`,`Parameters`:{`x.$`:`States.StringToJson($.s)`},`End`:true}"), `{"s":"["}`, `States.IntrinsicFailure StringToJson`},
		{"fail", one("{`Type`:`Fail`,`Error`:`E`,`Cause`:`because`}"), `{}`, `E because`},
		{"fail by path", one("{`Type`:`Fail`,`ErrorPath`:`$.e`,`Cause`:`c`}"), `{"e":"X"}`, `X c`},
		{"succeed", one("{`Type`:`Succeed`,`InputPath`:`$.a`}"), `{"a":1}`, `1`},
		{"no rule and no default", "{`StartAt`:`A`,`States`:{`A`:{`Type`:`Choice`,`Choices`:[{`Variable`:`$.a`,`StringEquals`:`x`,`Next`:`B`}]},`B`:{`Type`:`Succeed`}}}", `{"a":"y"}`, `States.NoChoiceMatched`},
		{"string equals", choice("{`Variable`:`$.a`,`StringEquals`:`x`,`Next`:`Yes`}"), `{"a":"x"}`, `true`},
		{"string equals a number", choice("{`Variable`:`$.a`,`StringEquals`:`1`,`Next`:`Yes`}"), `{"a":1}`, `false`},
		{"string equals nothing", choice("{`Variable`:`$.none`,`StringEquals`:`1`,`Next`:`Yes`}"), `{"a":1}`, `States.Runtime $.none`},
		{"is present", choice("{`Variable`:`$.a.b`,`IsPresent`:true,`Next`:`Yes`}"), `{"a":{"b":null}}`, `true`},
		{"is not present", choice("{`Variable`:`$.a.b`,`IsPresent`:false,`Next`:`Yes`}"), `{"a":1}`, `true`},
		{"is null", choice("{`Variable`:`$.a`,`IsNull`:true,`Next`:`Yes`}"), `{"a":null}`, `true`},
		{"is string", choice("{`Variable`:`$.a`,`IsString`:true,`Next`:`Yes`}"), `{"a":1}`, `false`},
		{"boolean", choice("{`Variable`:`$.a`,`BooleanEquals`:false,`Next`:`Yes`}"), `{"a":false}`, `true`},
		{"numbers by their worth", choice("{`Variable`:`$.a`,`NumericEquals`:10,`Next`:`Yes`}"), `{"a":1e1}`, `true`},
		{"less", choice("{`Variable`:`$.a`,`NumericLessThan`:10,`Next`:`Yes`}"), `{"a":9}`, `true`},
		{"not less", choice("{`Variable`:`$.a`,`NumericLessThan`:9,`Next`:`Yes`}"), `{"a":9}`, `false`},
		{"at least, by path", choice("{`Variable`:`$.a`,`NumericGreaterThanEqualsPath`:`$.b`,`Next`:`Yes`}"), `{"a":9,"b":9}`, `true`},
		{"a time before", choice("{`Variable`:`$.a`,`TimestampLessThan`:`2026-01-01T00:00:00Z`,`Next`:`Yes`}"), `{"a":"2025-12-31T23:59:59Z"}`, `true`},
		{"matches", choice("{`Variable`:`$.a`,`StringMatches`:`a*c\\\\*`,`Next`:`Yes`}"), `{"a":"abbc*"}`, `true`},
		{"and, or, not", choice("{`And`:[{`Not`:{`Variable`:`$.a`,`NumericEquals`:2}},{`Or`:[{`Variable`:`$.a`,`NumericEquals`:3},{`Variable`:`$.b`,`IsPresent`:false}]}],`Next`:`Yes`}"), `{"a":1}`, `true`},
		{"or guards what comes after", choice("{`Or`:[{`Variable`:`$.b`,`IsPresent`:false},{`Variable`:`$.b`,`StringEquals`:`x`}],`Next`:`Yes`}"), `{"a":1}`, `true`},
		{"an endless loop", "{`StartAt`:`A`,`States`:{`A`:{`Type`:`Pass`,`Next`:`B`},`B`:{`Type`:`Wait`,`Seconds`:1,`Next`:`A`}}}", `{}`, `States.Runtime history`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &asl.Runner{Machine: parse(t, c.machine), Invoke: echo, Clock: asl.NewFake(start())}
			x, err := r.Run(t.Context(), "x", []byte(c.input))
			if err != nil {
				t.Fatal(err)
			}
			if x.Status == asl.Succeeded {
				if string(x.Output) != c.want {
					t.Errorf("output %s, want %s", x.Output, c.want)
				}
				return
			}
			name, cause, _ := strings.Cut(c.want, " ")
			if x.Error != name || !strings.Contains(x.Cause, cause) {
				t.Errorf("%s %s: %s, want %s", x.Status, x.Error, x.Cause, c.want)
			}
		})
	}
}

const retried = "{`StartAt`:`A`,`States`:{`A`:{`Type`:`Task`,`Resource`:`arn:aws:states:::lambda:invoke`,`Parameters`:{`FunctionName`:`fn`,`Payload`:{}}," +
	"`Retry`:[{`ErrorEquals`:[`Lambda.Unknown`],`MaxAttempts`:0},{`ErrorEquals`:[`Transient`],`IntervalSeconds`:2,`MaxAttempts`:3,`BackoffRate`:3,`MaxDelaySeconds`:10}]," +
	"`Catch`:[{`ErrorEquals`:[`BadFile`],`ResultPath`:`$.error`,`Next`:`Bad`},{`ErrorEquals`:[`States.ALL`],`ResultPath`:`$.error`,`Next`:`Other`}],`ResultPath`:`$.r`,`Next`:`Good`}," +
	"`Good`:{`Type`:`Pass`,`Parameters`:{`retries.$`:`$$.State.RetryCount`},`End`:true},`Bad`:{`Type`:`Succeed`},`Other`:{`Type`:`Succeed`}}}"

func TestRetryAndCatch(t *testing.T) {
	t.Parallel()
	transient := &fault.Transient{Cause: errors.New("busy")}
	for _, c := range []struct {
		name  string
		errs  []error // of each call; then none
		path  []string
		calls int
		took  time.Duration
	}{
		{"at once", nil, []string{"A", "Good"}, 1, 0},
		{"the third time", []error{transient, transient}, []string{"A", "Good"}, 3, (2 + 6) * time.Second},
		{"too often", []error{transient, transient, transient, transient}, []string{"A", "Other"}, 4, (2 + 6 + 10) * time.Second},
		{"a permanent error", []error{&fault.BadFile{Code: "encrypted"}}, []string{"A", "Bad"}, 1, 0},
		{"after a try", []error{transient, &fault.BadFile{}}, []string{"A", "Bad"}, 2, 2 * time.Second},
		{"a wrapped error misses its Catch", []error{fmt.Errorf("%w", &fault.BadFile{})}, []string{"A", "Other"}, 1, 0},
		{"not even once again", []error{&asl.Error{Name: "Lambda.Unknown"}}, []string{"A", "Other"}, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			r := &asl.Runner{Machine: parse(t, retried), Clock: asl.NewFake(start())}
			r.Invoke = func(context.Context, string, []byte) ([]byte, *asl.Error) {
				calls++
				if calls > len(c.errs) {
					return []byte(`{}`), nil
				}
				if named, ok := errors.AsType[*asl.Error](c.errs[calls-1]); ok {
					return nil, named
				}
				return nil, asl.ErrorOf(c.errs[calls-1])
			}
			x, err := r.Run(t.Context(), "x", []byte(`{"keep":1}`))
			if err != nil || x.Status != asl.Succeeded {
				t.Fatalf("%+v, %v", x, err)
			}
			if diff := cmp.Diff(c.path, x.Path); diff != "" {
				t.Errorf("path (-want +got):\n%s", diff)
			}
			if took := x.Stopped.Sub(x.Started); calls != c.calls || took != c.took {
				t.Errorf("%d calls in %s, want %d in %s", calls, took, c.calls, c.took)
			}
			if c.path[1] == "Bad" {
				var out struct {
					Keep  int
					Error asl.Error
				}
				if err := json.Unmarshal(x.Output, &out); err != nil || out.Keep != 1 || out.Error.Name != "" && out.Error.Name != "BadFile" {
					t.Errorf("output %s, %v", x.Output, err)
				}
				if !strings.Contains(string(x.Output), `"Error":"BadFile"`) {
					t.Errorf("output %s", x.Output)
				}
			}
		})
	}
}

func TestErrorNames(t *testing.T) {
	t.Parallel()
	call := func(f func() error) string {
		_, err := asl.Call(t.Context(), func(context.Context, []byte) ([]byte, error) { return nil, f() }, nil)
		if err == nil {
			return ""
		}
		return err.Name
	}
	for want, f := range map[string]func() error{
		"":            func() error { return nil },
		"BadFile":     func() error { return &fault.BadFile{} },
		"wrapError":   func() error { return fmt.Errorf("x: %w", &fault.BadFile{}) },
		"errorString": func() error { return errors.New("x") },
		"string":      func() error { panic("x") },
		"Broken":      func() error { panic(&fault.Broken{}) },
		"boundsError": func() error {
			none, beyond := make([]error, 0, 1), 1
			return none[beyond]
		},
		"Transient": func() error { return fault.Bare(fmt.Errorf("x: %w", &fault.Transient{Cause: errors.New("y")})) },
		"TypeAssertionError": func() error {
			var v any = 1
			return v.(error)
		},
	} {
		if got := call(f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

const waiting = "{`StartAt`:`Ask`,`States`:{`Ask`:{`Type`:`Task`,`Resource`:`arn:aws:states:::lambda:invoke.waitForTaskToken`," +
	"`Parameters`:{`FunctionName`:`fn`,`Payload`:{`token.$`:`$$.Task.Token`}},`TimeoutSeconds`:600," +
	"`Retry`:[{`ErrorEquals`:[`Transient`]}]," +
	"`Catch`:[{`ErrorEquals`:[`States.Timeout`],`ResultPath`:`$.error`,`Next`:`Late`},{`ErrorEquals`:[`Cancelled`],`ResultPath`:null,`Next`:`Cancelled`}],`Next`:`Answered`}," +
	"`Answered`:{`Type`:`Succeed`},`Late`:{`Type`:`Succeed`},`Cancelled`:{`Type`:`Succeed`}}}"

func TestTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer func(ctx context.Context, r *asl.Runner, token string) error
		path   []string
		output string
	}{
		{"succeed", func(ctx context.Context, r *asl.Runner, token string) error {
			return r.Succeed(ctx, token, []byte(`{"next":"split"}`))
		}, []string{"Ask", "Answered"}, `{"next":"split"}`},
		{"fail", func(ctx context.Context, r *asl.Runner, token string) error {
			return r.Fail(ctx, token, "Cancelled", "by a person")
		}, []string{"Ask", "Cancelled"}, `{}`},
		{"time out", func(_ context.Context, r *asl.Runner, _ string) error {
			clock, _ := r.Clock.(*asl.Fake)
			clock.Advance(600 * time.Second)
			return nil
		}, []string{"Ask", "Late"}, `{"error":{"Cause":"no answer in 10m0s","Error":"States.Timeout"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &asl.Runner{Machine: parse(t, waiting), Clock: asl.NewFake(start())}
			var stored atomic.Value
			r.Invoke = func(_ context.Context, _ string, payload []byte) ([]byte, *asl.Error) {
				var in struct{ Token string }
				if err := json.Unmarshal(payload, &in); err != nil {
					return nil, asl.ErrorOf(err)
				}
				if stored.Swap(in.Token) == nil {
					return nil, asl.ErrorOf(&fault.Transient{Cause: errors.New("once")})
				}
				return nil, nil
			}
			for range 2 { // the same name again is no error
				if err := r.Start(t.Context(), "x", []byte(`{}`)); err != nil {
					t.Fatal(err)
				}
			}
			w, err := r.Await(t.Context(), "x")
			if err != nil || w.State != "Ask" || w.Token != stored.Load() {
				t.Fatalf("%+v, %v", w, err)
			}
			if err := c.answer(t.Context(), r, w.Token); err != nil {
				t.Fatal(err)
			}
			x, err := r.Wait(t.Context(), "x")
			if err != nil || string(x.Output) != c.output {
				t.Errorf("%+v, %v", x, err)
			}
			if diff := cmp.Diff(c.path, x.Path); diff != "" {
				t.Errorf("path (-want +got):\n%s", diff)
			}
			if err := r.Succeed(t.Context(), w.Token, []byte(`{}`)); !errors.Is(err, execution.ErrGone) {
				t.Errorf("a late answer: %v", err)
			}
			if err := r.Fail(t.Context(), "no such token", "E", ""); !errors.Is(err, execution.ErrGone) {
				t.Errorf("an unknown token: %v", err)
			}
			if _, err := r.Await(t.Context(), "x"); err == nil {
				t.Error("Await of an execution that has ended")
			}
			if _, err := r.Run(t.Context(), "x", []byte(`{}`)); err == nil {
				t.Error("Run of a name that was used")
			}
		})
	}
}

// TestTokenInABubble lets a timeout pass in a bubble, by the system's clock.
func TestTokenInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &asl.Runner{Machine: parse(t, waiting), Invoke: echo}
		x, err := r.Run(t.Context(), "x", []byte(`{}`))
		if err != nil || !slices.Equal(x.Path, []string{"Ask", "Late"}) || x.Stopped.Sub(x.Started) != 10*time.Minute {
			t.Errorf("%+v, %v", x, err)
		}
	})
}

func TestAbort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := &asl.Runner{Machine: parse(t, waiting), Clock: asl.NewFake(start())}
	r.Invoke = func(context.Context, string, []byte) ([]byte, *asl.Error) {
		cancel()
		return nil, nil
	}
	x, err := r.Run(ctx, "x", []byte(`{}`))
	if !errors.Is(err, context.Canceled) || x.Status != asl.Aborted {
		t.Errorf("%+v, %v", x, err)
	}
}

func mapping(concurrency int, child string) string {
	return fmt.Sprintf("{`StartAt`:`M`,`States`:{`M`:{`Type`:`Map`,`Label`:`L`,`MaxConcurrency`:%d,"+
		"`ItemReader`:{`Resource`:`arn:aws:states:::s3:getObject`,`ReaderConfig`:{`InputType`:`JSON`},`Parameters`:{`Bucket`:`b`,`Key.$`:`$.manifest`}},"+
		"`ItemSelector`:{`work.$`:`$.work`,`index.$`:`$$.Map.Item.Index`,`item.$`:`$$.Map.Item.Value`},"+
		"`ItemProcessor`:{`ProcessorConfig`:{`Mode`:`DISTRIBUTED`,`ExecutionType`:`STANDARD`},%s},"+
		"`Catch`:[{`ErrorEquals`:[`States.ALL`],`ResultPath`:`$.error`,`Next`:`Caught`}],`ResultPath`:`$.out`,`Next`:`Done`},"+
		"`Done`:{`Type`:`Succeed`},`Caught`:{`Type`:`Succeed`}}}", concurrency, child)
}

const worker = "`StartAt`:`W`,`States`:{`W`:{`Type`:`Task`,`Resource`:`arn:aws:states:::lambda:invoke`,`Parameters`:{`FunctionName`:`fn`,`Payload.$`:`$`},`ResultSelector`:{`n.$`:`$.Payload.item.n`},`Next`:`E`},`E`:{`Type`:`Pass`,`End`:true}}"

func manifest(t *testing.T, text string) object.Store {
	t.Helper()
	s := memory.New()
	if _, err := s.Put(t.Context(), "m.json", strings.NewReader(text), object.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMap(t *testing.T) {
	t.Parallel()
	var items []string
	for i := range 50 {
		items = append(items, fmt.Sprintf(`{"n":%d}`, i))
	}
	var running, most atomic.Int64
	var mu sync.Mutex
	seen := map[string]int{}
	r := &asl.Runner{Machine: parse(t, mapping(7, worker)), Objects: manifest(t, "["+strings.Join(items, ",")+"]")}
	full := make(chan struct{}) // closed once 7 run at the same time
	r.Invoke = func(_ context.Context, function string, payload []byte) ([]byte, *asl.Error) {
		n := running.Add(1)
		defer running.Add(-1)
		if n > most.Load() {
			most.Store(n)
		}
		mu.Lock()
		if seen[string(payload)]++; len(seen) == 7 {
			close(full)
		}
		mu.Unlock()
		<-full
		return payload, nil
	}
	x, err := r.Run(t.Context(), "x", []byte(`{"manifest":"m.json","work":"w"}`))
	if err != nil || x.Status != asl.Succeeded {
		t.Fatalf("%+v, %v", x, err)
	}
	if len(seen) != 50 || seen[`{"index":3,"item":{"n":3},"work":"w"}`] != 1 || most.Load() > 7 {
		t.Errorf("%d inputs, %d at a time: %v", len(seen), most.Load(), seen)
	}
	var out struct{ Out []struct{ N int } }
	if err := json.Unmarshal(x.Output, &out); err != nil || len(out.Out) != 50 || out.Out[49].N != 49 {
		t.Errorf("output %s, %v", x.Output, err)
	}
	if len(x.Children) != 50 || x.Children[8].Name != "x/L:8" || !slices.Equal(x.Children[8].Path, []string{"W", "E"}) {
		t.Errorf("children %+v", x.Children)
	}
	if want := []string{"M", "Done"}; !slices.Equal(x.Path, want) {
		t.Errorf("path %v, want %v", x.Path, want)
	}
}

func TestMapOfNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, objects, key, want, errorName string }{
		{"an empty array", "[]", "m.json", "Done", ""},
		{"no object", "[]", "none.json", "Caught", "States.ItemReaderFailed"},
		{"no array", "{}", "m.json", "Caught", "States.ItemReaderFailed"},
		{"no JSON", "[1", "m.json", "Caught", "States.ItemReaderFailed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &asl.Runner{Machine: parse(t, mapping(1, worker)), Invoke: echo, Objects: manifest(t, c.objects)}
			x, err := r.Run(t.Context(), "x", []byte(`{"manifest":"`+c.key+`","work":"w"}`))
			if err != nil || x.Path[len(x.Path)-1] != c.want || !strings.Contains(string(x.Output), c.errorName) {
				t.Errorf("%+v, %s, %v", x, x.Output, err)
			}
		})
	}
}

// TestMapFails has one worker fail while another runs on.
func TestMapFails(t *testing.T) {
	t.Parallel()
	for _, leave := range []bool{false, true} {
		t.Run(fmt.Sprintf("leave workers %v", leave), func(t *testing.T) {
			t.Parallel()
			r := &asl.Runner{Machine: parse(t, mapping(2, worker)), LeaveWorkers: leave, Objects: manifest(t, `[{"n":0},{"n":1},{"n":2},{"n":3}]`)}
			slow, failed := make(chan struct{}), make(chan struct{})
			var calls, finished atomic.Int64
			r.Invoke = func(ctx context.Context, _ string, payload []byte) ([]byte, *asl.Error) {
				calls.Add(1)
				if strings.Contains(string(payload), `"n":1`) {
					<-slow // both are running
					close(failed)
					return nil, asl.ErrorOf(&fault.Broken{})
				}
				close(slow)
				<-failed
				if leave {
					<-ctx.Done() // until after the Map's end
				}
				finished.Add(1)
				return payload, nil
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			x, err := r.Run(ctx, "x", []byte(`{"manifest":"m.json","work":"w"}`))
			if err != nil || !slices.Equal(x.Path, []string{"M", "Caught"}) {
				t.Fatalf("%+v, %v", x, err)
			}
			if !strings.Contains(string(x.Output), "States.ExceedToleratedFailureThreshold") {
				t.Errorf("output %s", x.Output)
			}
			if !leave && finished.Load() != 1 {
				t.Error("did not wait for the other worker")
			}
			cancel()
			r.Join()
			if calls.Load() != 2 || finished.Load() != 1 {
				t.Errorf("%d calls, %d finished", calls.Load(), finished.Load())
			}
		})
	}
}

func TestMapThatSaysTooMuch(t *testing.T) {
	t.Parallel()
	r := &asl.Runner{Machine: parse(t, mapping(4, "`StartAt`:`E`,`States`:{`E`:{`Type`:`Pass`,`End`:true}}")), Objects: manifest(t, "["+strings.Repeat("1,", 299)+"1]")}
	x, err := r.Run(t.Context(), "x", []byte(`{"manifest":"m.json","work":"`+strings.Repeat("w", 1000)+`"}`))
	if err != nil || x.Error != "States.DataLimitExceeded" {
		t.Errorf("%s: %s, %v", x.Error, x.Cause, err)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	m := parse(t, "{`StartAt`:`P`,`States`:{`P`:{`Type`:`Task`,`Resource`:`arn:aws:states:::events:putEvents`,`Parameters`:{`Entries`:[{`Source`:`s`,`Detail.$`:`$.d`}]},`ResultPath`:null,`End`:true}}}")
	r := &asl.Runner{Machine: m}
	if _, err := r.Run(t.Context(), "x", []byte(`{"d":{"a":1}}`)); err != nil {
		t.Fatal(err)
	}
	if e := r.Events(); len(e) != 1 || string(e[0]) != `[{"Detail":{"a":1},"Source":"s"}]` {
		t.Errorf("%s", e)
	}
}
