package shop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.debezium.outbox.quarkus.ExportedEvent;
import java.time.Instant;

/** What others are told of an order; those of a customer are to come in their order. */
public class OrderCreated implements ExportedEvent<String, JsonNode> {

    private final PurchaseOrder order;
    private final Instant at = Instant.now();

    public OrderCreated(PurchaseOrder order) {
        this.order = order;
    }

    @Override
    public String getAggregateId() {
        return String.valueOf(order.customer);
    }

    @Override
    public String getAggregateType() {
        return "Order";
    }

    @Override
    public String getType() {
        return "OrderCreated";
    }

    @Override
    public Instant getTimestamp() {
        return at;
    }

    @Override
    public JsonNode getPayload() {
        return JsonNodeFactory.instance.objectNode()
                .put("id", order.id)
                .put("customer", order.customer)
                .put("item", order.item)
                .put("quantity", order.quantity);
    }
}
