package asl

import (
	"encoding/json"
	"fmt"
	"time"
)

func (v *visit) task() (any, *Error) {
	switch v.s.Resource {
	case putEvents:
		return v.publish()
	case invokeTok:
		return v.await()
	}
	payload, err := v.invoke()
	if err != nil {
		return nil, err
	}
	return map[string]any{"ExecutedVersion": "$LATEST", "StatusCode": json.Number("200"), "Payload": payload}, nil
}

// invoke runs the function and returns what it answered.
func (v *visit) invoke() (any, *Error) {
	parameters, err := v.scope.template(v.s.Parameters)
	if err != nil {
		return nil, err
	}
	fields, _ := parameters.(map[string]any)
	function, ok := fields["FunctionName"].(string)
	if !ok || function == "" {
		return nil, runtimeError("no FunctionName")
	}
	payload := encode(fields["Payload"])
	if len(payload) > maxPayload {
		return nil, tooLong("the input of "+function, len(payload))
	}
	out, err := v.r.Invoke(v.callCtx, function, payload)
	if err != nil {
		return nil, err
	}
	if len(out) > maxPayload {
		return nil, tooLong("the output of "+function, len(out))
	}
	if len(out) == 0 {
		return nil, nil
	}
	answer, bad := decode(out)
	if bad != nil {
		return nil, runtimeError("the output of %s is not JSON: %v", function, bad)
	}
	return answer, nil
}

// await runs the function with a token and waits for the token's answer.
func (v *visit) await() (any, *Error) {
	w := v.r.open(v.walker.name, v.name)
	defer v.r.close(w.Token)
	v.scope.context["Task"] = map[string]any{"Token": w.Token}
	timeout := time.Duration(v.s.TimeoutSeconds) * time.Second
	if timeout == 0 {
		timeout = 99999999 * time.Second // the language's own default
	}
	expired, stop := v.r.clock().After(timeout)
	defer stop()
	if _, err := v.invoke(); err != nil {
		return nil, err
	}
	v.r.mu.Lock()
	w.open = true
	v.r.announce()
	v.r.mu.Unlock()
	select {
	case a := <-w.answer:
		return a.output, a.failed
	case <-expired:
	case <-v.ctx.Done():
	}
	if v.r.close(w.Token) == nil { // the answer came first
		a := <-w.answer
		return a.output, a.failed
	}
	if v.ctx.Err() != nil {
		return nil, &Error{Name: aborted}
	}
	return nil, &Error{Name: "States.Timeout", Cause: fmt.Sprintf("no answer in %s", timeout)}
}

func (v *visit) publish() (any, *Error) {
	parameters, err := v.scope.template(v.s.Parameters)
	if err != nil {
		return nil, err
	}
	fields, _ := parameters.(map[string]any)
	entries, ok := fields["Entries"].([]any)
	if !ok || len(entries) == 0 {
		return nil, runtimeError("no Entries")
	}
	text := encode(entries)
	if v.r.Publish != nil {
		if err := v.r.Publish(v.callCtx, text); err != nil {
			return nil, err
		}
	}
	v.r.mu.Lock()
	v.r.events = append(v.r.events, text)
	v.r.mu.Unlock()
	ids := make([]any, len(entries))
	for i := range ids {
		ids[i] = map[string]any{"EventId": fmt.Sprint(i)}
	}
	return map[string]any{"Entries": ids, "FailedEntryCount": json.Number("0")}, nil
}
