package shop;

import io.debezium.outbox.quarkus.ExportedEvent;
import jakarta.enterprise.event.Event;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.transaction.Transactional;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;

/** Takes orders: each is one transaction, and so is its event. */
@Path("/orders")
public class OrderResource {

    @Inject
    EntityManager entities;

    @Inject
    Event<ExportedEvent<?, ?>> events;

    @POST
    @Transactional
    public PurchaseOrder place(PurchaseOrder order) {
        entities.persist(order);
        events.fire(new OrderCreated(order));
        return order;
    }
}
