package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/dropload/dropload/internal/object"
)

// unbounded is how many children run at the same time where MaxConcurrency is
// left out; AWS has 10,000.
const unbounded = 1000

// fleet is the children of one Map.
type fleet struct {
	mu       sync.Mutex
	children []Execution
	failed   chan struct{} // closed at the first failure
	once     sync.Once
}

// distribute runs a child for each item. The first that fails ends the Map: no
// other starts, and none enters another state.
func (v *visit) distribute() (any, *Error) {
	items, err := v.items()
	if err != nil {
		return nil, err
	}
	inputs := make([]any, len(items))
	for i := range items {
		if inputs[i], err = v.childInput(i, items[i]); err != nil {
			return nil, err
		}
	}
	f := &fleet{children: make([]Execution, len(inputs)), failed: make(chan struct{})}
	done := make(chan struct{})
	v.r.workers.Go(func() {
		defer close(done)
		v.launch(f, inputs)
	})
	if v.r.LeaveWorkers {
		select {
		case <-done:
		case <-f.failed:
		}
	} else {
		<-done
	}
	return v.collect(f)
}

// launch runs all children and returns when the last has ended.
func (v *visit) launch(f *fleet, inputs []any) {
	ctx, abort := context.WithCancel(v.ctx)
	defer abort()
	label := v.s.Label
	if label == "" {
		label = v.name
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	limit := v.s.MaxConcurrency
	if limit == 0 {
		limit = unbounded
	}
	free := make(chan struct{}, limit)
	for i, input := range inputs {
		free <- struct{}{}
		if ctx.Err() != nil {
			return
		}
		wg.Go(func() {
			defer func() { <-free }()
			w := v.r.walker(fmt.Sprintf("%s/%s:%d", v.walker.name, label, i), input, ctx, v.callCtx)
			x := w.execute(v.s.ItemProcessor, input)
			f.mu.Lock()
			f.children[i] = x
			f.mu.Unlock()
			if x.Status == Failed {
				abort()
				f.once.Do(func() { close(f.failed) })
			}
		})
	}
}

// collect makes the Map's result, and keeps what became of the children.
func (v *visit) collect(f *fleet) (any, *Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	outputs := make([]any, 0, len(f.children))
	failed, size := false, 2
	for _, x := range f.children {
		if x.Status != "" { // it was started
			v.children = append(v.children, x)
		}
		failed = failed || x.Status == Failed
		size += len(x.Output) + 1
		if output, err := decode(x.Output); err == nil {
			outputs = append(outputs, output)
		}
	}
	switch {
	case failed:
		return nil, &Error{Name: "States.ExceedToleratedFailureThreshold", Cause: "The specified tolerated failure threshold was exceeded"}
	case v.ctx.Err() != nil:
		return nil, &Error{Name: aborted}
	case size > maxPayload:
		return nil, tooLong("the outputs of the children", size)
	}
	return outputs, nil
}

// items reads the array that the children are made for.
func (v *visit) items() ([]any, *Error) {
	parameters, err := v.scope.template(v.s.ItemReader.Parameters)
	if err != nil {
		return nil, err
	}
	unread := func(format string, args ...any) *Error {
		return &Error{Name: "States.ItemReaderFailed", Cause: fmt.Sprintf(format, args...)}
	}
	fields, _ := parameters.(map[string]any)
	bucket, _ := fields["Bucket"].(string)
	key, _ := fields["Key"].(string)
	if bucket == "" || key == "" {
		return nil, unread("no Bucket or no Key")
	}
	body, _, bad := v.r.Objects.Get(v.callCtx, object.Ref{Key: key}, object.Range{})
	if bad != nil {
		return nil, unread("%s: %v", key, bad)
	}
	text, bad := io.ReadAll(body)
	_ = body.Close()
	if bad != nil {
		return nil, unread("%s: %v", key, bad)
	}
	decoded, bad := decode(text)
	items, ok := decoded.([]any)
	if bad != nil || !ok {
		return nil, unread("%s is not a JSON array", key)
	}
	return items, nil
}

func (v *visit) childInput(index int, item any) (any, *Error) {
	input := item
	if v.s.ItemSelector != nil {
		c := v.stateContext(v.name, 0)
		c["Map"] = map[string]any{"Item": map[string]any{"Index": json.Number(fmt.Sprint(index)), "Value": item}}
		var err *Error
		if input, err = (scope{input: v.scope.input, context: c}).template(v.s.ItemSelector); err != nil {
			return nil, err
		}
	}
	if n := len(encode(input)); n > maxPayload {
		return nil, tooLong(fmt.Sprintf("the input of child %d", index), n)
	}
	return input, nil
}
