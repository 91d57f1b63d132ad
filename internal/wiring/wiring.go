// Package wiring puts an importer together from the environment of a function,
// or from the outputs of a deployed stack, and serves its steps as Lambda
// handlers. It decides nothing.
package wiring

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/dropload/dropload/internal/awsclient"
	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/execution/sfn"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/object/s3"
	"github.com/dropload/dropload/internal/queue/sqs"
	"github.com/dropload/dropload/internal/store/dynamo"
)

// Stack names the resources of a deployed stack.
type Stack struct {
	Bucket       string
	Records      string // table
	Control      string // table
	StateMachine string // ARN; "" where nothing is answered or started
	Messages     string // URL of the queue of messages; "" where none is queued
}

// FromEnv reads the stack from the environment of a function: BUCKET,
// RECORDS_TABLE, CONTROL_TABLE and, where they are set, STATE_MACHINE_ARN and
// QUEUE_URL.
func FromEnv() (Stack, error) {
	s := Stack{StateMachine: os.Getenv("STATE_MACHINE_ARN"), Messages: os.Getenv("QUEUE_URL")}
	for name, to := range map[string]*string{"BUCKET": &s.Bucket, "RECORDS_TABLE": &s.Records, "CONTROL_TABLE": &s.Control} {
		if *to = os.Getenv(name); *to == "" {
			return s, fmt.Errorf("wiring: the environment variable %s is not set", name)
		}
	}
	return s, nil
}

// Importer makes an importer over a stack.
func Importer(clients awsclient.Clients, s Stack, log *slog.Logger) (*importer.Importer, error) {
	catalog, err := entity.Standard()
	if err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	return &importer.Importer{
		Records:    dynamo.New(clients.DynamoDB, s.Records),
		Control:    dynamo.New(clients.DynamoDB, s.Control),
		Objects:    s3.New(clients.S3, s.Bucket),
		Executions: sfn.New(clients.SFN, s.StateMachine),
		Queue:      sqs.New(awssqs.NewFromConfig(clients.Config), s.Messages),
		Catalog:    catalog,
		Now:        time.Now,
		Log:        log,
		Config:     importer.Defaults(),
	}, nil
}

// Logger writes JSON lines to standard error at the level of LOG_LEVEL.
func Logger() *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(os.Getenv("LOG_LEVEL"))) != nil {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// Serve serves one step of the importer as a Lambda function. It does not
// return unless the function cannot be set up.
func Serve[In, Out any](step func(*importer.Importer, context.Context, In) (Out, error)) error {
	log := Logger()
	stack, err := FromEnv()
	if err != nil {
		return err
	}
	clients, err := awsclient.Load(context.Background())
	if err != nil {
		return fmt.Errorf("wiring: %w", err)
	}
	i, err := Importer(clients, stack, log)
	if err != nil {
		return err
	}
	lambda.Start(Handler(i, step))
	return nil
}

// Handler is a step as a Lambda handler. Lambda names an error by its outermost
// type, so a fault is returned bare; the whole error goes to the log.
func Handler[In, Out any](i *importer.Importer, step func(*importer.Importer, context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		out, err := step(i, ctx, in)
		if err != nil {
			i.Log.ErrorContext(ctx, "step failed", "error", err.Error())
		}
		return out, fault.Bare(err)
	}
}

// Quiet is a step that answers nothing.
func Quiet[In any](step func(*importer.Importer, context.Context, In) error) func(*importer.Importer, context.Context, In) (struct{}, error) {
	return func(i *importer.Importer, ctx context.Context, in In) (struct{}, error) {
		return struct{}{}, step(i, ctx, in)
	}
}
