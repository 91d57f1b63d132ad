package wiring

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/dropload/dropload/internal/awsclient"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/notice/aws"
)

// ServeMessages serves the queue of messages as a Lambda function. It does not
// return unless the function cannot be set up.
func ServeMessages() error {
	stack, err := FromEnv()
	if err != nil {
		return err
	}
	clients, err := awsclient.Load(context.Background())
	if err != nil {
		return fmt.Errorf("wiring: %w", err)
	}
	i, err := Importer(clients, stack, Logger())
	if err != nil {
		return err
	}
	i.Sender = aws.New(clients.Config)
	lambda.Start(MessagesHandler(i))
	return nil
}

// MessagesHandler sends the messages of a batch one by one and names those that
// are to come again.
func MessagesHandler(i *importer.Importer) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, in events.SQSEvent) (events.SQSEventResponse, error) {
		out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for n := range in.Records {
			var m importer.Message
			err := json.Unmarshal([]byte(in.Records[n].Body), &m)
			if err == nil {
				err = i.SendMessage(ctx, m)
			}
			if err != nil {
				i.Log.ErrorContext(ctx, "sending failed", "error", err.Error())
				out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: in.Records[n].MessageId})
			}
		}
		return out, nil
	}
}
